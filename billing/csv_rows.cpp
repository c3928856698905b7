#include "billing/csv_rows.h"

#include <algorithm>

#include "billing/document.h"

namespace gauger::billing {

CsvRows::CsvRows(std::string_view text, std::string_view file, char delimiter)
    : text_(text), file_(file), delimiter_(delimiter) {
  if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
}

Result<bool> CsvRows::next() {
  while (at_ < text_.size()) {
    TRY(read_row());
    if (fields_.size() > 1 || !fields_.front().empty()) return true;
  }
  return false;
}

Result<void> CsvRows::read_row() {
  fields_.clear();
  unescaped_used_ = 0;
  row_line_ = line_;
  while (true) {
    TRY(const auto field, read_field());
    fields_.push_back(field);
    if (at_ == text_.size()) return success();
    if (text_[at_] == delimiter_) {
      ++at_;
      continue;
    }
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    if (text_[at_] != '\n' && text_[at_] != '\r')
      return document_error(file_, line_, "text after a quoted field");
    ++at_;
    ++line_;
    return success();
  }
}

Result<std::string_view> CsvRows::read_field() {
  if (at_ < text_.size() && text_[at_] == '"') return read_quoted();
  const auto begin = at_;
  while (at_ < text_.size() && text_[at_] != delimiter_ && text_[at_] != '\r' && text_[at_] != '\n')
    ++at_;
  return text_.substr(begin, at_ - begin);
}

Result<std::string_view> CsvRows::read_quoted() {
  const auto line = line_;
  const auto begin = ++at_;
  bool doubled = false;
  for (; at_ < text_.size(); ++at_) {
    if (text_[at_] == '\n') ++line_;
    if (text_[at_] != '"') continue;
    if (at_ + 1 == text_.size() || text_[at_ + 1] != '"') break;
    doubled = true;
    ++at_;
  }
  if (at_ == text_.size()) return document_error(file_, line, "a quoted field that does not end");
  const auto raw = text_.substr(begin, at_++ - begin);
  if (!doubled) return raw;
  if (unescaped_used_ == unescaped_.size()) unescaped_.emplace_back();
  auto& text = unescaped_[unescaped_used_++];
  text.clear();
  for (size_t i = 0; i < raw.size(); ++i) {
    text += raw[i];
    if (raw[i] == '"') ++i;
  }
  return std::string_view(text);
}

CsvColumns::CsvColumns(std::span<const std::string_view> heading)
    : names_(heading.begin(), heading.end()) {}

std::optional<size_t> CsvColumns::find(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) return std::nullopt;
  return static_cast<size_t>(found - names_.begin());
}

}  // namespace gauger::billing
