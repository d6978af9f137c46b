// The in-memory dataset of a run: one immutable store, and which rows each client holds.
//
// Samples are dense rows of float32, row-major; images are channel-major (channels, height, width)
// with pixels in 0..1; text is rows of token ids instead. A client's shard is a list of row numbers
// into the one training store, so a batch is gathered by row pointers and nothing is ever copied
// per client. Built once, then shared as shared_ptr<const FederatedDataset> by every thread.
// Memory: 4 bytes a feature, 4 a label, 4 a row number; 8 bytes a client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

namespace skiff {

// kClassification: labels 0..classes-1. kBinaryLogistic: two classes, labels -1 and +1. Of text, a
// sample holds with sequence_length = T:
//   kClassification  T ids, and its label
//   kNextToken       T + 1 ids: inputs 0..T-1, targets 1..T
//   kMaskedToken     2 T ids: the inputs, some of them masked by the source, then the targets
enum class TaskKind { kClassification, kBinaryLogistic, kNextToken, kMaskedToken };

// Padding. As a target: not asked, not counted. As an input it is read as id 0, and nothing that
// comes of it is asked.
inline constexpr std::int32_t kNoToken = -1;

// What a model must know of a task before it sees a sample.
struct TaskShape {
  TaskKind kind = TaskKind::kClassification;
  int width = 0;            // features of a sample
  int classes = 0;          // 2 with kBinaryLogistic
  int channels = 0;         // of an image; 0 = the features are no image
  int height = 0;           // pixels
  int image_width = 0;      // pixels; width = channels * height * image_width
  int vocabulary = 0;       // of text: ids 0..vocabulary-1; 0 = the samples are no text
  int sequence_length = 0;  // of text: tokens that a model reads of a sample

  bool is_image() const { return channels > 0; }
  bool is_text() const { return vocabulary > 0; }
  // Ids that a sample of text holds.
  int text_length() const {
    if (kind == TaskKind::kMaskedToken) return 2 * sequence_length;
    return kind == TaskKind::kNextToken ? sequence_length + 1 : sequence_length;
  }
  bool operator==(const TaskShape&) const = default;
};

// Storage that begins on a cache line: then the rows of widths that are multiples of 8 floats
// begin on 32 bytes, which the kernels read fastest. New elements are left uninitialised.
template <class T>
struct CacheAligned {
  using value_type = T;
  CacheAligned() = default;
  template <class U>
  CacheAligned(const CacheAligned<U>&) {}  // NOLINT: allocators convert
  T* allocate(std::size_t n) {
    return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{64}));
  }
  void deallocate(T* p, std::size_t) { ::operator delete (p, std::align_val_t{64}); }
  template <class U>
  void construct(U* p) {
    ::new (static_cast<void*>(p)) U;
  }
  template <class U, class... Args>
  void construct(U* p, Args&&... args) {
    ::new (static_cast<void*>(p)) U(static_cast<Args&&>(args)...);
  }
  bool operator==(const CacheAligned&) const { return true; }
};
using Features = std::vector<float, CacheAligned<float>>;

struct Samples {
  Features features;                 // rows x width, row-major
  std::vector<std::int32_t> tokens;  // of text: rows x length, row-major
  std::vector<std::int32_t> labels;  // one a row
  int width = 0;
  int length = 0;  // TaskShape::text_length()

  Samples() = default;
  // Room for `rows` samples; features are not initialised.
  Samples(std::size_t rows, int features_per_row)
      : features(rows * static_cast<std::size_t>(features_per_row)),
        labels(rows),
        width(features_per_row) {}

  int rows() const { return static_cast<int>(labels.size()); }
  const float* row(int i) const { return features.data() + std::ptrdiff_t{i} * width; }
  float* row(int i) { return features.data() + std::ptrdiff_t{i} * width; }
  const std::int32_t* text(int i) const { return tokens.data() + std::ptrdiff_t{i} * length; }
  std::int32_t* text(int i) { return tokens.data() + std::ptrdiff_t{i} * length; }
};

// A list of row numbers for each client, as one array: client k holds
// rows[begin[k]] ... rows[begin[k + 1] - 1]. Timing-only runs have `begin` (the sizes) alone.
struct ShardList {
  std::vector<std::int64_t> begin;  // clients + 1, or empty
  std::vector<std::uint32_t> rows;

  int clients() const { return begin.empty() ? 0 : static_cast<int>(begin.size()) - 1; }
  std::int64_t size(int client) const { return begin[client + 1] - begin[client]; }
  std::span<const std::uint32_t> of(int client) const {
    if (rows.empty()) return {};
    return {rows.data() + begin[client], static_cast<std::size_t>(size(client))};
  }
};

struct FederatedDataset {
  std::string source;  // the registered name: "mnist"
  TaskShape shape;
  Samples train;                   // what the clients hold
  Samples test;                    // the server's test set; may be empty (test_fraction: 0)
  Samples server;                  // held by the server for calibration, distillation, pretraining
  ShardList shards;                // into train
  ShardList own_tests;             // into test: a client's own held-out rows; empty if none has any
  std::vector<std::string> names;  // of the clients, where the source names them; else empty
  bool timing_only = false;        // sizes without numbers: train, test and server are empty

  int clients() const { return shards.clients(); }
  std::int64_t samples_of(int client) const { return shards.size(client); }
  std::span<const std::uint32_t> rows_of(int client) const { return shards.of(client); }
  std::span<const std::uint32_t> test_rows_of(int client) const {
    return own_tests.clients() == 0 ? std::span<const std::uint32_t>() : own_tests.of(client);
  }
};
using DatasetPtr = std::shared_ptr<const FederatedDataset>;

}  // namespace skiff
