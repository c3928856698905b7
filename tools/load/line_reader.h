// The lines of a text file, plain or gzip, "-" for standard input. Lines end in \n or \r\n; the
// last one may lack it. A line over the limit, a damaged or cut-off gzip file are errors that
// name the line. One thread; a line is valid until the next one is read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "schemas/result.h"

namespace gauger::load {

class LineReader {
 public:
  static Result<LineReader> open(std::string path);
  ~LineReader();
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;

  // The next line without its end; nullopt at the end of the file.
  Result<std::optional<std::string_view>> next();
  uint64_t line_number() const { return line_number_; }  // of the line read last, from 1
  // Bytes of the file itself that were read, and its size (0 where it has none).
  uint64_t file_bytes_read() const;
  uint64_t file_bytes() const { return file_bytes_; }

 private:
  LineReader();
  Result<bool> fill();

  struct File;
  std::unique_ptr<File> file_;
  std::string buffer_;
  size_t begin_ = 0;  // of what was not handed out yet
  uint64_t line_number_ = 0;
  uint64_t file_bytes_ = 0;
};

}  // namespace gauger::load
