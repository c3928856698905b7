#include "billing/text_table.h"

#include <algorithm>

#include "billing/document.h"
#include "schemas/verify.h"

namespace gauger::billing {
namespace {

size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

void TextTable::add(std::vector<std::string> cells) {
  VERIFY(cells.size() == columns_.size(), "a row has one cell per column");
  rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
  std::vector<size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  std::string out;
  const auto put = [&](auto&& cell_of) {
    std::string line;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (widths[i] == 0) continue;
      const std::string& cell = cell_of(i);
      const auto width = std::max(widths[i], width_of(columns_[i].name));
      const std::string padding(width - width_of(cell), ' ');
      if (!line.empty()) line += "  ";
      line += columns_[i].align == Align::left ? cell + padding : padding + cell;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  put([&](size_t i) -> const std::string& { return columns_[i].name; });
  for (const auto& row : rows_) put([&](size_t i) -> const std::string& { return row[i]; });
  return out;
}

std::string TextTable::csv() const {
  std::string out;
  for (size_t i = 0; i < columns_.size(); ++i)
    out += (i > 0 ? "," : "") + csv_field(columns_[i].name);
  out += "\n";
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) out += (i > 0 ? "," : "") + csv_field(row[i]);
    out += "\n";
  }
  return out;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

namespace {

class CsvReader {
 public:
  CsvReader(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  Result<std::vector<std::vector<std::string>>> read() {
    std::vector<std::vector<std::string>> rows;
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
    while (at_ < text_.size()) {
      TRY(auto row, read_row());
      if (row.size() > 1 || !row.front().empty()) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  Result<std::vector<std::string>> read_row() {
    std::vector<std::string> row;
    while (true) {
      TRY(auto field, at_ < text_.size() && text_[at_] == '"' ? read_quoted() : read_plain());
      row.push_back(std::move(field));
      if (at_ == text_.size()) return row;
      if (text_[at_] == ',') {
        ++at_;
        continue;
      }
      if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
      if (text_[at_] != '\n' && text_[at_] != '\r')
        return document_error(file_, line_, "text after a quoted field");
      ++at_;
      ++line_;
      return row;
    }
  }

  Result<std::string> read_plain() {
    const auto end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    std::string field(text_.substr(at_, end - at_));
    at_ = end;
    return field;
  }

  Result<std::string> read_quoted() {
    const auto begin = line_;
    std::string field;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] != '"') {
        field += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        field += text_[at_++];
      } else {
        ++at_;
        return field;
      }
    }
    return document_error(file_, begin, "a quoted field that does not end");
  }

  std::string_view text_;
  std::string_view file_;
  size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

Result<std::vector<std::vector<std::string>>> parse_csv(std::string_view text,
                                                        std::string_view file) {
  return CsvReader(text, file).read();
}

}  // namespace gauger::billing
