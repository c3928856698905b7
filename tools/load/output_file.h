// A file that is written from front to back: buffered, gzip where the name ends in ".gz", "-"
// for standard output. It is written under a temporary name and takes its own on finish(), so
// that a run that fails leaves no half file behind. One thread.
//
// The first failed write is remembered; finish() returns it. Callers write without asking.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "schemas/result.h"
#include "schemas/usage_event.h"

namespace gauger::load {

enum class EventFormat { jsonl, protobuf };

class OutputFile {
 public:
  static Result<OutputFile> create(std::string path);
  ~OutputFile();
  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;

  // Room for `bytes`, to be written into directly; advance_to says how far it was.
  char* room_for(size_t bytes) {
    if (bytes > capacity_ - used_) make_room(bytes);
    return buffer_.get() + used_;
  }
  void advance_to(const char* end) { used_ = static_cast<size_t>(end - buffer_.get()); }

  void write(std::string_view bytes);
  void write(const UsageEvent& event, EventFormat format);

  // Whether a write has failed; a long run stops early.
  bool failed() const { return failed_; }
  Result<void> finish();

 private:
  OutputFile();
  void make_room(size_t bytes);
  void flush();

  struct File;
  std::unique_ptr<File> file_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_;
  size_t used_ = 0;
  bool failed_ = false;
};

// Writes a whole small file.
Result<void> write_file(const std::string& path, std::string_view bytes);

}  // namespace gauger::load
