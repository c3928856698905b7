// The intake: from a source's records, through a decoder, into the ledger. Pulls a batch, decodes
// it event by event into the ledger's columns, commits by size or time, and goes on until the
// source is at its end or somebody says stop. What cannot be read goes to quarantine in the same
// commit; the intake itself stops only when the source or the ledger fails.
//
// One intake, one thread, one source. Back-pressure: a commit waits for the ledger, and the
// source is not asked meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ingest/decoder.h"
#include "ingest/source.h"
#include "ledger/ledger.h"

namespace gauger::ingest {

struct IntakeOptions {
  std::string name_space = "default";
  bool backfill = false;
  // None: one protobuf UsageEvent per record, by the fastest path.
  std::unique_ptr<Decoder> decoder;
};

// Numbers that no meter takes were kept under this name: somebody should know, since they have no
// price until a price book names them.
struct ExtraSeen {
  std::string name;
  uint64_t events = 0;  // as they came, repeated ones too
};

struct IntakeProgress {
  uint64_t records = 0;
  uint64_t bytes = 0;
  uint64_t commits = 0;
  bool paused = false;            // for want of free disk
  uint64_t unattributed = 0;      // events of nobody, as they came, repeated ones too
  std::vector<ExtraSeen> extras;  // by first appearance, the first limits::extras_reported_max
};

// Called after every poll, and now and then while the intake is paused; false ends the intake, with
// everything so far committed.
using KeepGoing = std::function<bool(const IntakeProgress&)>;

// Returns when the source is at its end or fails, or `keep_going` says no. Everything that was read
// is committed then, but not necessarily durable: flush the ledger.
Result<IntakeProgress> run_intake(ledger::Ledger& ledger, Source& source, IntakeOptions options,
                                  const KeepGoing& keep_going);

}  // namespace gauger::ingest
