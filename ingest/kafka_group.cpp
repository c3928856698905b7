#include "ingest/kafka_group.h"

#include <algorithm>

namespace gauger::ingest {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// The last position that was published is worth a moment at the end.
constexpr milliseconds last_answer_wait{2'000};

}  // namespace

KafkaGroup::KafkaGroup(std::shared_ptr<KafkaClient> client, std::string topic)
    : client_(std::move(client)),
      topic_(std::move(topic)),
      answers_(rd_kafka_queue_new(client_->handle())) {}

KafkaGroup::~KafkaGroup() { take_answers(last_answer_wait); }

Result<void> KafkaGroup::publish(std::span<const int64_t> next_offsets) {
  const KafkaPartitions offsets(
      rd_kafka_topic_partition_list_new(static_cast<int>(next_offsets.size())));
  for (size_t i = 0; i < next_offsets.size(); ++i)
    rd_kafka_topic_partition_list_add(offsets.get(), topic_.c_str(), static_cast<int32_t>(i))
        ->offset = next_offsets[i];
  take_answers(milliseconds{0});
  if (const auto code =
          rd_kafka_commit_queue(client_->handle(), offsets.get(), answers_.get(), nullptr, nullptr))
    return client_->error("publishing the positions of the group", code);
  ++open_;
  return success();
}

// Answers are only counted: the next one that is published says it all again.
void KafkaGroup::take_answers(milliseconds wait) {
  const auto deadline = Clock::now() + wait;
  while (open_ > 0) {
    const auto left =
        std::max(std::chrono::ceil<milliseconds>(deadline - Clock::now()), milliseconds{0});
    const KafkaEvent answer(rd_kafka_queue_poll(answers_.get(), static_cast<int>(left.count())));
    if (!answer) return;
    --open_;
  }
}

}  // namespace gauger::ingest
