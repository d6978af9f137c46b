#include "sim/engine/event_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/core/random.h"

namespace skiff {
namespace {

Handle push(EventQueue& queue, std::int64_t time, Priority priority = Priority::kDeviceJob,
            std::uint32_t target = 0) {
  return queue.push({time}, priority, 1, target, 0);
}

std::vector<std::uint32_t> targets_in_order(EventQueue& queue) {
  std::vector<std::uint32_t> targets;
  Event event;
  while (queue.pop(event)) targets.push_back(event.target);
  return targets;
}

TEST(EventQueueTest, GivesBackWhatWasScheduled) {
  EventQueue queue;
  const Handle handle = queue.push({5}, Priority::kDeadline, 7, 8, 9, 10);
  Event event;
  ASSERT_TRUE(queue.pop(event));
  EXPECT_EQ(event.at(), VirtualTime{5});
  EXPECT_EQ(event.priority(), Priority::kDeadline);
  EXPECT_EQ(event.sequence(), 0u);
  EXPECT_EQ(event.type, 7);
  EXPECT_EQ(event.target, 8u);
  EXPECT_EQ(event.arg, 9u);
  EXPECT_EQ(event.flags, 10);
  EXPECT_EQ(event.gen, handle.gen);
  EXPECT_FALSE(queue.pop(event));
}

TEST(EventQueueTest, TimeThenPriorityThenSequence) {
  EventQueue queue;
  push(queue, 2, Priority::kFlowCompletion, 5);
  push(queue, 1, Priority::kDeadline, 2);
  push(queue, 1, Priority::kFlowCompletion, 0);
  push(queue, 1, Priority::kFlowCompletion, 1);
  push(queue, 1, Priority::kStop, 4);
  push(queue, 1, Priority::kDeadline, 3);
  EXPECT_EQ(targets_in_order(queue), (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5}));
}

TEST(EventQueueTest, LimitLeavesLaterEventsAlone) {
  EventQueue queue;
  push(queue, 10);
  Event event;
  EXPECT_FALSE(queue.pop(event, {9}));
  EXPECT_EQ(queue.next_time(), VirtualTime{10});
  EXPECT_TRUE(queue.pop(event, {10}));
  EXPECT_EQ(queue.next_time(), kNever);
}

TEST(EventQueueTest, CancelledEventsNeverSurface) {
  EventQueue queue;
  const Handle first = push(queue, 1, Priority::kDeviceJob, 1);
  push(queue, 2, Priority::kDeviceJob, 2);
  EXPECT_TRUE(queue.is_pending(first));
  EXPECT_TRUE(queue.cancel(first));
  EXPECT_FALSE(queue.cancel(first));
  EXPECT_FALSE(queue.is_pending(first));
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue.next_time(), VirtualTime{2});
  EXPECT_EQ(targets_in_order(queue), (std::vector<std::uint32_t>{2}));
}

TEST(EventQueueTest, CancelAfterPopIsHarmlessEvenWhenTheSlotIsUsedAgain) {
  EventQueue queue;
  const Handle old = push(queue, 1);
  Event event;
  ASSERT_TRUE(queue.pop(event));
  EXPECT_FALSE(queue.cancel(old));
  const Handle fresh = push(queue, 2);
  EXPECT_EQ(fresh.slot, old.slot);
  EXPECT_FALSE(queue.cancel(old));
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_TRUE(queue.cancel(fresh));
}

TEST(EventQueueTest, EmptyHandleNamesNothing) {
  EventQueue queue;
  push(queue, 1);
  EXPECT_FALSE(Handle());
  EXPECT_FALSE(queue.cancel(Handle()));
  EXPECT_FALSE(queue.cancel({0, 0}));
  EXPECT_EQ(queue.size(), 1u);
}

TEST(EventQueueTest, CompactsWhenTheDeadOutnumberTheLiving) {
  EventQueue queue;
  std::vector<Handle> handles;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    handles.push_back(push(queue, 1000 - i, Priority::kDeviceJob, i));
  }
  for (std::uint32_t i = 0; i < 900; ++i) {
    ASSERT_TRUE(queue.cancel(handles[i]));
    EXPECT_LE(queue.cancelled(), std::max<std::size_t>(64, queue.size()));
  }
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 1000; i-- > 900;) expected.push_back(i);
  EXPECT_EQ(targets_in_order(queue), expected);
}

TEST(EventQueueTest, SequenceNumbersDoNotWrap) {
  EventQueue queue(Event::kMaxSequence);
  push(queue, 1, Priority::kStop);
  EXPECT_THROW(push(queue, 1), std::logic_error);
  Event event;
  ASSERT_TRUE(queue.pop(event));
  EXPECT_EQ(event.sequence(), Event::kMaxSequence);
  EXPECT_EQ(event.priority(), Priority::kStop);
}

TEST(EventQueueTest, FarTimesKeepTheirOrder) {
  EventQueue queue;
  push(queue, kNever.ns - 1, Priority::kDeviceJob, 1);
  push(queue, 0, Priority::kDeviceJob, 0);
  EXPECT_EQ(targets_in_order(queue), (std::vector<std::uint32_t>{0, 1}));
}

// A sorted set does the same operations; every answer must agree.
class Reference {
 public:
  using Key = std::tuple<std::int64_t, int, std::uint64_t>;

  Key push(std::int64_t time, Priority priority) {
    return *pending_.emplace(time, static_cast<int>(priority), sequence_++);
  }
  bool cancel(const Key& key) { return pending_.erase(key) > 0; }
  std::size_t size() const { return pending_.size(); }
  bool pop(Key& out) {
    if (pending_.empty()) return false;
    out = *pending_.begin();
    pending_.erase(pending_.begin());
    return true;
  }

 private:
  std::multiset<Key> pending_;
  std::uint64_t sequence_ = 0;
};

// Random schedule, cancel and pop; `busy` of 16 operations schedule, so the queue grows or drains.
void compare_with_reference(Stream stream, int operations, std::uint32_t busy,
                            std::uint32_t distinct_times) {
  EventQueue queue;
  Reference reference;
  std::vector<std::pair<Reference::Key, Handle>> issued;
  const std::uint8_t priorities[] = {0, 10, 20, 30, 40, 50, 60, 255};
  std::int64_t now = 0;
  for (int i = 0; i < operations; ++i) {
    const std::uint32_t what = stream.below(16);
    if (what < busy) {
      const std::int64_t time = now + stream.below(distinct_times);
      const Priority priority{priorities[stream.below(8)]};
      issued.emplace_back(reference.push(time, priority),
                          queue.push({time}, priority, 1, stream(), 0));
    } else if (what < busy + 4 && !issued.empty()) {  // some of them happened long ago
      const std::size_t recent = std::min<std::size_t>(issued.size(), 4096);
      const auto& [key, handle] =
          issued[issued.size() - 1 - stream.below(static_cast<std::uint32_t>(recent))];
      const bool pending = queue.is_pending(handle);
      ASSERT_EQ(queue.cancel(handle), pending);
      ASSERT_EQ(reference.cancel(key), pending);
    } else {
      Event event;
      Reference::Key key;
      const bool any = queue.pop(event);
      ASSERT_EQ(any, reference.pop(key));
      if (!any) continue;
      ASSERT_EQ(std::make_tuple(event.time, static_cast<int>(event.priority()), event.sequence()),
                key);
      now = event.time;
    }
    ASSERT_EQ(queue.size(), reference.size());
  }
}

TEST(EventQueueTest, AgreesWithASortedSetOverAMillionOperations) {
  compare_with_reference(Stream(1, "queue.test"), 400'000, 9, 1'000'000);  // grows
  compare_with_reference(Stream(2, "queue.test"), 300'000, 6, 1'000'000);  // stays small
  compare_with_reference(Stream(3, "queue.test"), 300'000, 8, 4);          // mostly ties
}

}  // namespace
}  // namespace skiff
