// Writes run.h5: columns with units, dimension scales, everything that xarray, pandas, h5dump and
// analysis/ need to read it as it is.
//
// While it grows the file is called run.h5.part; finish() syncs it to the disk and renames it. Rows
// are gathered by 4,096 a column, then written as one shuffled and deflated chunk (about 0.3 us and
// 90 bytes an attempt). Some disk space is held back while the run lasts: if the disk
// fills up, that reserve is freed, every row recorded so far is written and the file is closed as a
// readable .part with status "failed", and a RunError says so. Never prints.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "sim/record/recorder.h"

namespace skiff {

class Hdf5Recorder final : public Recorder {
 public:
  // `file`: where run.h5 shall stand in the end; its folder is made if need be.
  Hdf5Recorder(const std::filesystem::path& file, RunInfo run);
  // Not finished: closes the .part, status "failed".
  ~Hdf5Recorder() override;

  // Hands all rows so far to the operating system, e.g. before a checkpoint.
  void flush();

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

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skiff
