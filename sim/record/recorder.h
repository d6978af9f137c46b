// Takes the rows of a run as they happen: into run.h5, into memory, or nowhere.
//
//   Hdf5Recorder recorder(folder, info);
//   recorder.add(attempt);  recorder.add(round);  ...
//   recorder.finish({RunStatus::kOk, fingerprint});
//
// Every recorder keeps the Tally that the terminal summary is made of. One thread only, the one of
// the event loop. A row costs no allocation once the buffers stand. Errors are RunErrors that name
// the file and the reason; what was recorded before one is not lost.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "sim/record/rows.h"
#include "sim/record/run_info.h"
#include "sim/record/tally.h"

namespace skiff {

// The final parameters: one flat array and the names of its parts.
struct ModelSlice {
  std::string name;
  std::uint32_t rows = 0, cols = 0;
  std::uint64_t offset = 0;
  bool by_input = false;  // the values stand cols x rows: input by input
};

class Recorder {
 public:
  explicit Recorder(RunInfo info);
  virtual ~Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void add(const AttemptRow& row) {
    tally_.add(row);
    if (info_.keep_attempts) write(row);
  }
  void add(const RoundRow& row);
  void add(const TierRow& row) { write(row); }
  void add(const DeviceRow& row);  // all of them, in order, before finish
  void add(const MemoryRow& row) { write(row); }
  void add(const LayerRow& row) {
    if (info_.keep_layers) write(row);
  }
  void add(const EvaluationRow& row) { write(row); }
  void set_final_model(std::span<const ModelSlice> slices, std::span<const float> values) {
    write_model(slices, values);
  }

  // Ends the record: nothing may be added afterwards. Once.
  void finish(const RunEnd& end);

  const RunInfo& info() const { return info_; }
  const Tally& tally() const { return tally_; }
  bool finished() const { return finished_; }
  const RunEnd& end() const { return end_; }  // after finish()
  // SHA-256 over everything recorded but provenance and wall clock; empty before finish() and for
  // recorders that keep nothing.
  const std::string& results_sha256() const { return results_sha256_; }

 protected:
  virtual void write(const AttemptRow& row) = 0;
  virtual void write(const RoundRow& row) = 0;
  virtual void write(const TierRow& row) = 0;
  virtual void write(const DeviceRow& row) = 0;
  virtual void write(const MemoryRow& row) = 0;
  virtual void write(const LayerRow& row) = 0;
  virtual void write(const EvaluationRow& row) = 0;
  virtual void write_model(std::span<const ModelSlice> slices, std::span<const float> values) = 0;
  virtual std::string close(const RunEnd& end) = 0;  // gives results_sha256

 private:
  RunInfo info_;
  Tally tally_;
  std::string results_sha256_;
  RunEnd end_;
  bool finished_ = false;
};

// Keeps the tally alone: for benchmarks, and where no output is wanted.
class NullRecorder final : public Recorder {
 public:
  using Recorder::Recorder;

 private:
  void write(const AttemptRow&) override {}
  void write(const RoundRow&) override {}
  void write(const TierRow&) override {}
  void write(const DeviceRow&) override {}
  void write(const MemoryRow&) override {}
  void write(const LayerRow&) override {}
  void write(const EvaluationRow&) override {}
  void write_model(std::span<const ModelSlice>, std::span<const float>) override {}
  std::string close(const RunEnd&) override { return {}; }
};

}  // namespace skiff
