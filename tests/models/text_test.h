// What the tests of models of text share: tasks, and batches of token ids that any language can
// make again.
#pragma once

#include "tests/models/model_test.h"

namespace skiff::testing {

inline TaskShape text_task(TaskKind kind, int vocabulary, int length, int classes = 0) {
  TaskShape task;
  task.kind = kind;
  task.classes = classes;
  task.vocabulary = vocabulary;
  task.sequence_length = length;
  return task;
}

// Ids drawn one after the other, sample by sample; a target of kMaskedToken is asked where a
// further draw of 4 gives 0, and its input is then id 0; labels come last.
class Texts {
 public:
  Texts(const TaskShape& task, int count, std::uint64_t seed) : task_(task) {
    Numbers numbers(seed);
    const int length = task.text_length();
    ids_.resize(static_cast<std::size_t>(count * length));
    for (int i = 0; i < count; ++i) {
      std::int32_t* text = ids_.data() + i * length;
      const bool masked = task.kind == TaskKind::kMaskedToken;
      for (int t = 0; t < (masked ? task.sequence_length : length); ++t) {
        text[t] = numbers.below(task.vocabulary);
        if (!masked) continue;
        const bool asked = numbers.below(4) == 0;
        text[t + task.sequence_length] = asked ? text[t] : kNoToken;
        if (asked) text[t] = 0;
      }
      tokens_.push_back(text);
      rows_.push_back(nullptr);
    }
    for (int i = 0; i < count; ++i) {
      labels_.push_back(task.classes > 0 ? numbers.below(task.classes) : 0);
    }
  }
  Texts(const Texts&) = delete;
  Batch all() const { return batch(0, static_cast<int>(labels_.size())); }
  Batch batch(int first, int count) const {
    const auto part = [&](const auto& v) {
      return std::span(v).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    };
    return {{rows_.data() + first, count, 0}, part(labels_), part(tokens_)};
  }
  std::int32_t* text(int i) { return ids_.data() + i * task_.text_length(); }

 private:
  TaskShape task_;
  std::vector<std::int32_t> ids_, labels_;
  std::vector<const std::int32_t*> tokens_;
  std::vector<const float*> rows_;
};

}  // namespace skiff::testing
