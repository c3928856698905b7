#include "billing/text_table.h"

#include <algorithm>

#include "billing/csv_rows.h"
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
      if (widths[i] == 0 && !rows_.empty()) continue;
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

Result<std::vector<std::vector<std::string>>> parse_csv(std::string_view text,
                                                        std::string_view file) {
  std::vector<std::vector<std::string>> rows;
  CsvRows reader(text, file);
  while (true) {
    TRY(const auto found, reader.next());
    if (!found) return rows;
    rows.emplace_back(reader.fields().begin(), reader.fields().end());
  }
}

}  // namespace gauger::billing
