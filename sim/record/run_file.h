// run.h5 without its growing tables: attributes, provenance, memory, the final model; and its life
// as run.h5.part until finish() syncs and renames it. Calls throw hdf5::Failure.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "sim/record/hdf5_handle.h"
#include "sim/record/recorder.h"

namespace skiff {

inline constexpr std::int64_t kSchemaVersion = 1;

class RunFile {
 public:
  // Begins FILE.part, status "failed" until something better is known.
  RunFile(const std::filesystem::path& file, const RunInfo& info);

  hid_t id() const { return file_.get(); }
  const std::filesystem::path& part() const { return part_; }

  void put_memory(const std::vector<MemoryRow>& rows);
  void put_model(std::span<const ModelSlice> slices, std::span<const float> values);
  void drop_model();

  void flush();
  // Ends the file and gives it its name. All other handles into it must be closed.
  void finish(const RunEnd& end, const std::string& results_sha256,
              const std::vector<WallTime>& wall_times);
  // Ends the .part, which keeps its name. False if that failed.
  bool abandon(const std::vector<WallTime>& wall_times) noexcept;

 private:
  void put_identity(const RunInfo& info);
  void put_provenance(const Provenance& provenance);
  void put_wall_times(const std::vector<WallTime>& wall_times);

  std::filesystem::path path_, part_;
  hdf5::Handle file_;
  bool broken_ = false;  // closing failed
};

}  // namespace skiff
