// Looks at a topic from time to time while its records are read, on a thread of its own: a
// topic that is deleted, made anew or given more partitions under a running reader shows in
// none of the records. Also wakes librdkafka's fetcher (see KafkaSource). Private to ingest/.
// Threads: every function may be called from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "ingest/kafka_position.h"
#include "ingest/kafka_probe.h"
#include "schemas/result.h"

namespace gauger::ingest {

class KafkaWatch {
 public:
  struct Config {
    std::chrono::milliseconds look_interval;     // does the topic stand, and reach far enough?
    std::chrono::milliseconds recheck_interval;  // and does it hold the records that were read?
  };
  // `wake` is called on the watch's thread for each call of wake().
  KafkaWatch(const KafkaProbe& probe, Config config, std::vector<KafkaPosition> positions,
             std::function<void()> wake);
  ~KafkaWatch();
  KafkaWatch(const KafkaWatch&) = delete;
  KafkaWatch& operator=(const KafkaWatch&) = delete;

  // What has been read by now: only partitions where records came.
  void read(std::span<const KafkaPosition> positions);
  // The reason to stop reading, once there is one. Brokers that do not answer are none.
  std::optional<Error> failure() const;
  // Something looks odd: look now, and check the records too.
  void look_now();
  void wake();
  // Checks now that the log is still the one that was read, on the caller's thread.
  Result<void> confirm();
  size_t unchecked() const;  // partitions whose last record was gone at the last check

 private:
  void run();
  Result<void> look(bool recheck);
  Result<void> look_for_topic(size_t partition_count);

  const KafkaProbe& probe_;
  const Config config_;
  const std::function<void()> wake_fetcher_;
  std::optional<std::chrono::steady_clock::time_point> gone_since_;  // the thread's own

  std::mutex probing_;  // before mutex_; held while records are checked
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<KafkaPosition> positions_;
  // Positions of an earlier check. While their records stand, everything that was read since
  // came from the same log; the latest records would prove nothing, they may be a new one's.
  std::vector<KafkaPosition> marks_;
  std::optional<Error> failure_;
  size_t unchecked_ = 0;
  bool stopping_ = false;
  bool look_now_ = false;
  bool wake_ = false;
  std::thread thread_;
};

}  // namespace gauger::ingest
