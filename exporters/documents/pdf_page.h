// A PDF of tables: pages of A4 across, text at places, right-aligned figures, a footer on every
// page. Text is extractable. Names beyond Western European letters need the font DejaVu Sans, which
// is embedded then. The same calls give the same bytes. Private to exporters/documents; hides
// libharu.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/instant.h"
#include "schemas/result.h"

namespace gauger::exporters {

enum class PdfFont : uint8_t { regular, bold };
enum class PdfAlign : uint8_t { left, right };

struct PdfColumn {
  std::string heading;
  float width;  // points
  PdfAlign align = PdfAlign::left;
};

class PdfDocument {
 public:
  // `unicode`: some text is not of Western Europe. io: the font for it is not installed.
  static Result<PdfDocument> open(std::string_view title, std::string_view author, Instant created,
                                  bool unicode);
  ~PdfDocument();
  PdfDocument(PdfDocument&&) noexcept;

  static constexpr float width = 842;
  static constexpr float height = 595;
  static constexpr float margin = 36;

  // From the top; a new page begins where the old one is full.
  void text(std::string_view text, float size = 9, PdfFont font = PdfFont::regular);
  // Beside each other at the same height: at the margin and at the middle.
  void two_columns(const std::vector<std::string>& left, const std::vector<std::string>& right);
  void space(float points);
  // Cells are wrapped; headings are repeated on every page.
  void table(const std::vector<PdfColumn>& columns,
             const std::vector<std::vector<std::string>>& rows);
  // A label and a figure at the right margin.
  void figure(std::string_view label, std::string_view value, PdfFont font);

  // `footer` stands at the left of every page, "page 1 of 2" at its right.
  Result<std::string> finish(std::string_view footer);

 private:
  struct Impl;
  explicit PdfDocument(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// True where a text has letters that the standard fonts of PDF do not.
bool needs_unicode(std::string_view text);

}  // namespace gauger::exporters
