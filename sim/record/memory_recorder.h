// Keeps every row as it came, for tests and for what looks at a run right after it. The same
// results hash as run.h5 would have.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/record/recorder.h"

namespace skiff {

class ResultTables;

class MemoryRecorder final : public Recorder {
 public:
  explicit MemoryRecorder(RunInfo run);
  ~MemoryRecorder() override;

  const std::vector<AttemptRow>& attempts() const { return attempts_; }
  const std::vector<RoundRow>& rounds() const { return rounds_; }
  const std::vector<TierRow>& tiers() const { return tiers_; }
  const std::vector<DeviceRow>& devices() const { return devices_; }
  const std::vector<MemoryRow>& memory() const { return memory_; }
  const std::vector<LayerRow>& layers() const { return layers_; }
  const std::vector<EvaluationRow>& evaluations() const { return evaluations_; }
  const std::vector<ModelSlice>& model_slices() const { return slices_; }
  const std::vector<float>& model_values() const { return values_; }

 private:
  void write(const AttemptRow& row) override;
  void write(const RoundRow& row) override;
  void write(const TierRow& row) override;
  void write(const DeviceRow& row) override;
  void write(const MemoryRow& row) override;
  void write(const LayerRow& row) override;
  void write(const EvaluationRow& row) override;
  void write_model(std::span<const ModelSlice> slices, std::span<const float> values) override;
  std::string close(const RunEnd& end) override;

  std::unique_ptr<ResultTables> tables_;
  std::vector<AttemptRow> attempts_;
  std::vector<RoundRow> rounds_;
  std::vector<TierRow> tiers_;
  std::vector<DeviceRow> devices_;
  std::vector<MemoryRow> memory_;
  std::vector<LayerRow> layers_;
  std::vector<EvaluationRow> evaluations_;
  std::vector<ModelSlice> slices_;
  std::vector<float> values_;
};

}  // namespace skiff
