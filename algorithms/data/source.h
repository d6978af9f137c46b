// The registered role DataSource: where samples come from (`data: {source: mnist, path: mnist}`).
//
// Generators make their samples from the seed; loaders read files. A source is immutable and knows
// only its own parameters; how many clients there are and what is held out comes as DataOptions.
// Loaders throw DataError (file, byte or line, what was expected); options that a source cannot
// meet are std::invalid_argument with a plain reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "algorithms/data/dataset.h"
#include "sim/core/registry.h"

namespace skiff {

// The keys of `data` that do not belong to one source.
struct DataOptions {
  int clients = 0;  // generators make as many writers; natural partition: at most; 0 = all
  double test_fraction = 0.1;  // share held out where the source has no test set; 0..0.9
  int server_samples = 0;      // held by the server: never a client's, never a test's
};

// What a source hands over, before anything is held out or given to clients.
struct LoadedData {
  TaskShape shape;
  Samples train;
  Samples test;    // of the source's own; empty if it has none
  Samples server;  // only generators fill it; otherwise it is taken from `train`
  bool has_test = false;
  // Natural client of each row, an index into `owners`; -1 for nobody's. Empty if the source has
  // no natural clients.
  std::vector<std::int32_t> train_owner;
  std::vector<std::int32_t> test_owner;
  std::vector<std::string> owners;
  std::int64_t counted = 0;  // timing-only: samples that exist as a number alone
};

class DataSource {
 public:
  static constexpr const char* kRole = "data";
  static constexpr const char* kKey = "source";
  virtual ~DataSource() = default;

  virtual LoadedData load(const DataOptions& options, std::uint64_t seed) const = 0;
  // Sizes without numbers: such a run can only be timed.
  virtual bool timing_only() const { return false; }
};

// 28 x 28 and 3 x 32 x 32 for 784 and 3,072 features, no image for other widths: for sources
// whose files do not say.
TaskShape classification_shape(int width, int classes);

}  // namespace skiff
