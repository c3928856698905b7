#include "exporters/documents/pdf_page.h"

#include <hpdf.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "schemas/time_zone.h"

namespace gauger::exporters {
namespace {

constexpr const char* unicode_fonts[] = {"/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
                                         "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"};
constexpr float line_height = 1.35F;
constexpr float footer_height = 24;
constexpr float cell_size = 7;

// The next code point of UTF-8; what is malformed reads as U+FFFD.
char32_t next_code_point(std::string_view text, size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  char32_t code = lead & (0x3FU >> more);
  for (int i = 0; i < more; ++i) {
    if (at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U) return 0xFFFD;
    code = (code << 6) | (static_cast<unsigned char>(text[at++]) & 0x3FU);
  }
  return more == 0 ? 0xFFFD : code;
}

// Windows-1252 above ASCII is Latin-1 from A0 on; of the rest we use the euro sign.
std::optional<char> western(char32_t code) {
  if (code >= 0x20 && code < 0x7F) return static_cast<char>(code);
  if (code >= 0xA0 && code <= 0xFF) return static_cast<char>(code);
  if (code == 0x20AC) return static_cast<char>(0x80);
  return std::nullopt;
}

std::string without_controls(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return out;
}

HPDF_Date date_of(Instant instant) {
  const auto text = format_instant(instant);  // "2026-10-01T00:00:00Z"
  const auto number = [&](size_t at, size_t length) { return std::stoi(text.substr(at, length)); };
  return {number(0, 4),
          number(5, 2),
          number(8, 2),
          number(11, 2),
          number(14, 2),
          number(17, 2),
          ' ',
          0,
          0};
}

}  // namespace

bool needs_unicode(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto code = next_code_point(text, at);
    if (code >= 0x20 && code != 0x7F && !western(code)) return true;
  }
  return false;
}

struct PdfDocument::Impl {
  HPDF_Doc pdf = nullptr;
  std::array<HPDF_Font, 2> fonts{};
  bool unicode = false;
  std::vector<HPDF_Page> pages;
  float y = 0;

  ~Impl() {
    if (pdf != nullptr) HPDF_Free(pdf);
  }

  HPDF_Page page() const { return pages.back(); }
  HPDF_Font font(PdfFont which) const { return fonts[static_cast<size_t>(which)]; }

  void new_page() {
    pages.push_back(HPDF_AddPage(pdf));
    HPDF_Page_SetWidth(page(), width);
    HPDF_Page_SetHeight(page(), height);
    y = height - margin;
  }
  bool fits(float points) const { return y - points >= margin + footer_height; }
  void need(float points) {
    if (!fits(points)) new_page();
  }

  // In the encoding of the fonts.
  std::string encoded(std::string_view text) const {
    auto clean = without_controls(text);
    if (unicode) return clean;
    std::string out;
    for (size_t at = 0; at < clean.size();)
      out += western(next_code_point(clean, at)).value_or('?');
    return out;
  }

  float width_of(const std::string& text, float size, PdfFont which) const {
    HPDF_Page_SetFontAndSize(page(), font(which), size);
    return HPDF_Page_TextWidth(page(), text.c_str());
  }

  void put(const std::string& text, float x, float at_y, float size, PdfFont which) const {
    if (text.empty()) return;
    HPDF_Page_BeginText(page());
    HPDF_Page_SetFontAndSize(page(), font(which), size);
    HPDF_Page_TextOut(page(), x, at_y, text.c_str());
    HPDF_Page_EndText(page());
  }

  void rule(float at_y) const {
    HPDF_Page_SetLineWidth(page(), 0.5F);
    HPDF_Page_MoveTo(page(), margin, at_y);
    HPDF_Page_LineTo(page(), width - margin, at_y);
    HPDF_Page_Stroke(page());
  }

  // How many bytes of an encoded text fit into the width, at a character's end.
  size_t fitting(const std::string& text, float available, PdfFont which) const {
    size_t end = 0;
    size_t space = 0;
    for (size_t at = 0; at < text.size();) {
      size_t next = at + 1;
      while (unicode && next < text.size() &&
             (static_cast<unsigned char>(text[next]) & 0xC0U) == 0x80U)
        ++next;
      if (end != 0 && width_of(text.substr(0, next), cell_size, which) > available) break;
      if (text[at] == ' ' || text[at] == '-' || text[at] == '/') space = next;
      end = at = next;
    }
    return end == text.size() || space == 0 ? end : space;
  }

  std::vector<std::string> wrapped(std::string_view text, float available, PdfFont which) const {
    std::vector<std::string> rows;
    auto rest = encoded(text);
    while (!rest.empty()) {
      const auto end = fitting(rest, available, which);
      rows.push_back(rest.substr(0, end));
      rest.erase(0, end);
    }
    return rows;
  }

  void table_row(const std::vector<PdfColumn>& columns, const std::vector<std::string>& cells,
                 PdfFont which) {
    constexpr float gap = 6;
    std::vector<std::vector<std::string>> wrapped_cells;
    size_t height_rows = 1;
    for (size_t i = 0; i < columns.size(); ++i) {
      wrapped_cells.push_back(wrapped(cells[i], columns[i].width - gap, which));
      height_rows = std::max(height_rows, wrapped_cells.back().size());
    }
    float x = margin;
    for (size_t i = 0; i < columns.size(); ++i) {
      float at_y = y - cell_size;
      for (const auto& row : wrapped_cells[i]) {
        const float indent = columns[i].align == PdfAlign::right
                                 ? columns[i].width - gap - width_of(row, cell_size, which)
                                 : 0;
        put(row, x + indent, at_y, cell_size, which);
        at_y -= cell_size * line_height;
      }
      x += columns[i].width;
    }
    y -= static_cast<float>(height_rows) * cell_size * line_height + 2;
  }

  // The most that a row may need, so that none is cut at the foot of a page.
  float row_height(const std::vector<PdfColumn>& columns,
                   const std::vector<std::string>& cells) const {
    size_t rows = 1;
    for (size_t i = 0; i < columns.size(); ++i)
      rows = std::max(rows, wrapped(cells[i], columns[i].width - 6, PdfFont::regular).size());
    return static_cast<float>(rows) * cell_size * line_height + 4;
  }

  void headings(const std::vector<PdfColumn>& columns) {
    std::vector<std::string> cells;
    for (const auto& column : columns) cells.push_back(column.heading);
    table_row(columns, cells, PdfFont::bold);
    rule(y);
    y -= 3;
  }
};

PdfDocument::PdfDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PdfDocument::~PdfDocument() = default;
PdfDocument::PdfDocument(PdfDocument&&) noexcept = default;

Result<PdfDocument> PdfDocument::open(std::string_view title, std::string_view author,
                                      Instant created, bool unicode) {
  auto impl = std::make_unique<Impl>();
  // Without a handler libharu remembers its first error; finish() asks for it.
  impl->pdf = HPDF_New(nullptr, nullptr);
  if (impl->pdf == nullptr) return io_error("a PDF cannot be begun: no memory");
  HPDF_SetCompressionMode(impl->pdf, HPDF_COMP_ALL);
  impl->unicode = unicode;
  constexpr const char* standard_fonts[] = {"Helvetica", "Helvetica-Bold"};
  if (unicode) HPDF_UseUTFEncodings(impl->pdf);
  for (size_t i = 0; i < impl->fonts.size(); ++i) {
    const char* name = standard_fonts[i];
    if (unicode) {
      if (!std::filesystem::exists(unicode_fonts[i]))
        return io_error(std::string("the invoice has letters that need the font ") +
                        unicode_fonts[i] + " (package fonts-dejavu-core), which is not there");
      name = HPDF_LoadTTFontFromFile(impl->pdf, unicode_fonts[i], HPDF_TRUE);
    }
    impl->fonts[i] = HPDF_GetFont(impl->pdf, name, unicode ? "UTF-8" : "WinAnsiEncoding");
  }
  HPDF_SetInfoAttr(impl->pdf, HPDF_INFO_TITLE, impl->encoded(title).c_str());
  HPDF_SetInfoAttr(impl->pdf, HPDF_INFO_AUTHOR, impl->encoded(author).c_str());
  HPDF_SetInfoAttr(impl->pdf, HPDF_INFO_CREATOR, "gauger");
  HPDF_SetInfoDateAttr(impl->pdf, HPDF_INFO_CREATION_DATE, date_of(created));
  impl->new_page();
  return PdfDocument(std::move(impl));
}

void PdfDocument::text(std::string_view text, float size, PdfFont font) {
  impl_->need(size * line_height);
  impl_->put(impl_->encoded(text), margin, impl_->y - size, size, font);
  impl_->y -= size * line_height;
}

void PdfDocument::two_columns(const std::vector<std::string>& left,
                              const std::vector<std::string>& right) {
  constexpr float size = 9;
  for (size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    impl_->need(size * line_height);
    const auto at_y = impl_->y - size;
    if (i < left.size()) impl_->put(impl_->encoded(left[i]), margin, at_y, size, PdfFont::regular);
    if (i < right.size())
      impl_->put(impl_->encoded(right[i]), width / 2, at_y, size, PdfFont::regular);
    impl_->y -= size * line_height;
  }
}

void PdfDocument::space(float points) { impl_->y -= points; }

void PdfDocument::table(const std::vector<PdfColumn>& columns,
                        const std::vector<std::vector<std::string>>& rows) {
  impl_->need(60);
  impl_->headings(columns);
  for (const auto& row : rows) {
    if (!impl_->fits(impl_->row_height(columns, row))) {
      impl_->new_page();
      impl_->headings(columns);
    }
    impl_->table_row(columns, row, PdfFont::regular);
  }
  impl_->rule(impl_->y);
}

void PdfDocument::figure(std::string_view label, std::string_view value, PdfFont font) {
  constexpr float size = 10;
  impl_->need(size * line_height * 2);
  const auto figure = impl_->encoded(value);
  const auto at_y = impl_->y - size * line_height;
  impl_->put(impl_->encoded(label), width / 2 + 120, at_y, size, font);
  impl_->put(figure, width - margin - 6 - impl_->width_of(figure, size, font), at_y, size, font);
  impl_->y -= size * line_height;
}

Result<std::string> PdfDocument::finish(std::string_view footer) {
  const auto pages = std::move(impl_->pages);
  for (size_t i = 0; i < pages.size(); ++i) {
    impl_->pages = {pages[i]};
    impl_->rule(margin + 12);
    const auto count = "page " + std::to_string(i + 1) + " of " + std::to_string(pages.size());
    impl_->put(impl_->encoded(footer), margin, margin, cell_size, PdfFont::regular);
    impl_->put(count, width - margin - impl_->width_of(count, cell_size, PdfFont::regular), margin,
               cell_size, PdfFont::regular);
  }
  if (HPDF_SaveToStream(impl_->pdf) != HPDF_OK || HPDF_GetError(impl_->pdf) != HPDF_OK)
    return io_error("the PDF cannot be made: libharu says error " +
                    std::to_string(HPDF_GetError(impl_->pdf)));
  std::string bytes(HPDF_GetStreamSize(impl_->pdf), '\0');
  HPDF_ResetStream(impl_->pdf);
  auto size = static_cast<HPDF_UINT32>(bytes.size());
  HPDF_ReadFromStream(impl_->pdf, reinterpret_cast<HPDF_BYTE*>(bytes.data()), &size);
  bytes.resize(size);
  return bytes;
}

}  // namespace gauger::exporters
