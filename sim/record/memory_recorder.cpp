#include "sim/record/memory_recorder.h"

#include "sim/record/result_tables.h"

namespace skiff {

MemoryRecorder::MemoryRecorder(RunInfo run)
    : Recorder(std::move(run)), tables_(std::make_unique<ResultTables>(info(), nullptr)) {}

MemoryRecorder::~MemoryRecorder() = default;

void MemoryRecorder::write(const AttemptRow& row) {
  tables_->add(row);
  attempts_.push_back(row);
}

void MemoryRecorder::write(const RoundRow& row) {
  tables_->add(row);
  rounds_.push_back(row);
}

void MemoryRecorder::write(const TierRow& row) {
  tables_->add(row);
  tiers_.push_back(row);
}

void MemoryRecorder::write(const DeviceRow& row) {
  tables_->add(row);
  devices_.push_back(row);
}

void MemoryRecorder::write(const MemoryRow& row) {
  tables_->add(row);
  memory_.push_back(row);
}

void MemoryRecorder::write(const LayerRow& row) {
  tables_->add(row);
  layers_.push_back(row);
}

void MemoryRecorder::write(const EvaluationRow& row) {
  tables_->add(row);
  evaluations_.push_back(row);
}

void MemoryRecorder::write_model(std::span<const ModelSlice> slices,
                                 std::span<const float> values) {
  tables_->set_model(slices, values);
  slices_.assign(slices.begin(), slices.end());
  values_.assign(values.begin(), values.end());
}

std::string MemoryRecorder::close(const RunEnd&) {
  tables_->close();
  return tables_->results_sha256();
}

}  // namespace skiff
