#include "ledger/rocks_abort.h"

#include <unistd.h>

#include <csignal>
#include <utility>

namespace gauger::ledger {
namespace {

thread_local const std::string* note = nullptr;

// Of the functions that a handler may call; abort() goes on behind it.
void say_note(int) {
  if (note == nullptr) return;
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, note->data(), note->size());
}

void set_handler() {
  struct sigaction before {};
  if (::sigaction(SIGABRT, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) return;
  struct sigaction ours {};
  ours.sa_handler = say_note;
  ours.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGABRT, &ours, nullptr);
}

}  // namespace

AbortNote::AbortNote(const std::string& store)
    : sentence_(
          "gauger: RocksDB ended the process while it opened " + store +
          ", by the assertion above. A damaged file is the usual reason: restore a backup\n") {
  set_handler();
  outer_ = std::exchange(note, &sentence_);
}

AbortNote::~AbortNote() { note = outer_; }

}  // namespace gauger::ledger
