// Who changed what, and who was refused. Two files in the data directory, a JSON object per line:
// `audit-changes.jsonl`, synced with each line and kept for ever, and `audit-denials.jsonl`, which
// a flood of refused requests may fill: it is bounded in rate (what is above is counted in the
// next line) and in size (one file before it is kept).
//
// Each line carries the SHA-256 of the line before it, so that a line taken out is noticed. What
// was changed is in the ledger's own chain besides. Thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "schemas/clock.h"
#include "schemas/result.h"

namespace gauger::exporters {

struct AuditRecord {
  std::string actor;       // who; empty: nobody who is known
  std::string name_space;  // empty: unknown
  std::string peer;        // the address
  std::string action;      // an operation's id
  std::string target;      // what it was about
  std::string outcome;     // "done", or a problem's type
};

class AuditLog {
 public:
  static Result<std::unique_ptr<AuditLog>> open(const std::filesystem::path& directory,
                                                const Clock& clock);
  ~AuditLog();

  // Returns once the line is on disk.
  Result<void> change(const AuditRecord& record);
  void denial(const AuditRecord& record);

  // Newest first, of one namespace. Lines, as they lie in the file.
  Result<std::vector<std::string>> changes(std::string_view name_space, size_t limit) const;
  Result<std::vector<std::string>> denials(std::string_view name_space, size_t limit) const;

 private:
  struct Impl;
  explicit AuditLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauger::exporters
