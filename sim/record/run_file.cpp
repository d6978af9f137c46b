#include "sim/record/run_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sim/core/error.h"
#include "sim/record/join.h"
#include "sim/record/result_tables.h"
#include "sim/record/space_reserve.h"

namespace skiff {
namespace {

namespace fs = std::filesystem;
using hdf5::checked;
using hdf5::Handle;
using hdf5::put_attribute;

Handle create(const fs::path& part) {
  hdf5::silence();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "opening");
  // Not the newest format: that one marks a file of a killed process as locked.
  checked(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V110), "opening");
  const hid_t file = H5Fcreate(part.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get());
  if (file < 0 && errno == EAGAIN) throw hdf5::Failure("another run is writing it");
  return {file, H5Fclose, "opening"};
}

// Waits until a file or folder is on the disk.
void sync(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = file >= 0 && (::fsync(file) == 0 || errno == EINVAL);
  const int error = errno;
  if (file >= 0) ::close(file);
  if (!done) throw hdf5::Failure(std::strerror(error));
}

std::string run_id_of(const RunInfo& info) {
  if (!info.run_id.empty()) return info.run_id;
  const std::string part = info.case_name.empty() ? "" : "/" + info.case_name;
  return fmt::format("{}{}-s{}", info.name, part, info.seed);
}

}  // namespace

RunFile::RunFile(const fs::path& file, const RunInfo& info)
    : path_(file), part_(file.string() + ".part"), file_(create(part_)) {
  put_identity(info);
  put_provenance(info.provenance);
  flush();
}

void RunFile::put_identity(const RunInfo& info) {
  const hid_t root = file_.get();
  put_attribute(root, "schema_version", kSchemaVersion);
  put_attribute(root, "Conventions", std::string("CF-1.8"));
  put_attribute(root, "run_id", run_id_of(info));
  put_attribute(root, "name", info.name);
  put_attribute(root, "case", info.case_name);
  put_attribute(root, "seed", static_cast<std::int64_t>(info.seed));
  put_attribute(root, "status", std::string(word(RunStatus::kFailed)));
  put_attribute(root, "model", info.model);
  put_attribute(root, "parameters", info.parameters);
  put_attribute(root, "model_config", info.model_config);
  put_attribute(root, "devices", static_cast<std::int64_t>(info.class_of_device.size()));
  put_attribute(root, "protocol", info.protocol);
  put_attribute(root, "rounds", static_cast<std::int64_t>(info.rounds));
  put_attribute(root, "heuristics", join(info.heuristics, ", "));
  put_attribute(root, "neutral_defaults", join(info.neutral_defaults, ", "));
  if (!info.plans.empty()) put_attribute(root, "plans", join(info.plans, "; "));
  if (info.target) {
    put_attribute(root, "target_metric", info.target->first);
    put_attribute(root, "target_value", info.target->second);
  }
}

void RunFile::put_provenance(const Provenance& p) {
  const Handle group = hdf5::create_group(file_.get(), "/provenance");
  const hid_t id = group.get();
  std::vector<std::string> libraries;
  for (const auto& [library, version] : p.library_versions) {
    libraries.push_back(library + " " + version);
  }
  put_attribute(id, "config_yaml", p.config_yaml);
  put_attribute(id, "overrides", join(p.overrides, "\n"));
  put_attribute(id, "config_sha256", p.config_sha256);
  put_attribute(id, "skiff_version", p.skiff_version);
  put_attribute(id, "git_commit", p.git_commit);
  put_attribute(id, "compiler", p.compiler);
  put_attribute(id, "cpu", p.cpu);
  put_attribute(id, "threads", static_cast<std::int64_t>(p.threads));
  put_attribute(id, "started_utc", p.started_utc);
  put_attribute(id, "library_versions", join(libraries, ", "));
}

void RunFile::put_wall_times(const std::vector<WallTime>& wall_times) {
  const Handle group(H5Gopen2(file_.get(), "/provenance", H5P_DEFAULT), H5Gclose, "/provenance");
  if (H5Lexists(group.get(), "wall_time", H5P_DEFAULT) > 0) return;
  std::vector<std::uint32_t> rounds;
  std::vector<double> seconds;
  for (const WallTime& w : wall_times) {
    rounds.push_back(w.round);
    seconds.push_back(w.since_start.value());
  }
  const Handle round = hdf5::put_numbers(
      group.get(), {"round", NumberType::kU4, "1", "version of the server's model"}, rounds.data(),
      rounds.size(), true);
  const Handle times = hdf5::put_numbers(
      group.get(), {"wall_time", NumberType::kF8, "s", "host time since the run began"},
      seconds.data(), seconds.size(), false);
  hdf5::attach_scale(times.get(), round.get(), 0);
}

void RunFile::put_memory(const std::vector<MemoryRow>& rows) {
  if (rows.empty()) return;
  const Handle group = hdf5::create_group(file_.get(), "/memory");
  std::vector<std::string> plans;
  std::vector<std::uint64_t> bytes;
  for (const MemoryRow& row : rows) {
    plans.push_back(row.plan);
    for (const Bytes b : parts_of(row)) bytes.push_back(static_cast<std::uint64_t>(b.value()));
  }
  const Handle plan = hdf5::put_names(group.get(), "plan", plans, true);
  const Handle part =
      hdf5::put_names(group.get(), "part", {kMemoryParts.begin(), kMemoryParts.end()}, true);
  const hsize_t shape[2] = {plans.size(), kMemoryParts.size()};
  const Handle space(H5Screate_simple(2, shape, nullptr), H5Sclose, "/memory");
  const Handle data(H5Dcreate2(group.get(), "bytes", H5T_NATIVE_UINT64, space.get(), H5P_DEFAULT,
                               H5P_DEFAULT, H5P_DEFAULT),
                    H5Dclose, "/memory/bytes");
  checked(H5Dwrite(data.get(), H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()),
          "/memory/bytes");
  hdf5::describe(data.get(), {"bytes", NumberType::kU8, "B", "memory need of a plan by part"});
  hdf5::attach_scale(data.get(), plan.get(), 0);
  hdf5::attach_scale(data.get(), part.get(), 1);
}

void RunFile::put_model(std::span<const ModelSlice> slices, std::span<const float> values) {
  if (!within_file_limit(hdf5::size_of_file(file_.get()) + values.size_bytes())) {
    throw hdf5::Failure("the limit of file sizes (ulimit -f) is reached");
  }
  const Handle group = hdf5::create_group(file_.get(), "/model");
  const hid_t id = group.get();
  std::vector<std::string> names;
  std::vector<std::uint64_t> offsets;
  std::vector<std::uint32_t> rows, cols;
  std::vector<std::string> orders;
  for (const ModelSlice& slice : slices) {
    names.push_back(slice.name);
    offsets.push_back(slice.offset);
    rows.push_back(slice.rows);
    cols.push_back(slice.cols);
    orders.emplace_back(slice.by_input ? "by_column" : "by_row");
  }
  put_attribute(id, "order", join(orders, " "));  // how the matrix of each slice stands in values
  const Handle slice = hdf5::put_names(id, "slice", names, true);
  const auto column = [&](const ColumnSpec& spec, const void* data) {
    const Handle dataset = hdf5::put_numbers(id, spec, data, slices.size(), false);
    hdf5::attach_scale(dataset.get(), slice.get(), 0);
  };
  column({"offset", NumberType::kU8, "1", "where the slice begins in values"}, offsets.data());
  column({"rows", NumberType::kU4, "1", "rows of the slice"}, rows.data());
  column({"cols", NumberType::kU4, "1", "columns of the slice"}, cols.data());
  const Handle data =
      hdf5::put_numbers(id, {"values", NumberType::kF4, "1", "final parameters, slice after slice"},
                        values.data(), values.size(), false);
  const Handle dimension = hdf5::put_dimension(id, "parameter", values.size());
  hdf5::attach_scale(data.get(), dimension.get(), 0);
}

void RunFile::drop_model() { H5Ldelete(file_.get(), "/model", H5P_DEFAULT); }

void RunFile::flush() { checked(H5Fflush(file_.get(), H5F_SCOPE_GLOBAL), "flushing"); }

void RunFile::finish(const RunEnd& end, const std::string& results_sha256,
                     const std::vector<WallTime>& wall_times) {
  put_wall_times(wall_times);
  const hid_t root = file_.get();
  put_attribute(root, "results_sha256", results_sha256);
  put_attribute(root, "fingerprint", end.fingerprint);
  put_attribute(root, "status", std::string(word(end.status)));
  flush();
  if (!file_.reset()) {
    broken_ = true;
    hdf5::fail("closing");
  }
  sync(part_);
  std::error_code error;
  fs::rename(part_, path_, error);
  if (error) throw hdf5::Failure(error.message());
  sync(path_.has_parent_path() ? path_.parent_path() : fs::path("."));
}

bool RunFile::abandon(const std::vector<WallTime>& wall_times) noexcept {
  if (!file_) return !broken_;
  try {
    put_wall_times(wall_times);
    put_attribute(file_.get(), "status", std::string(word(RunStatus::kFailed)));
    flush();
  } catch (const hdf5::Failure&) {
    file_.reset();
    return false;
  }
  return file_.reset();
}

}  // namespace skiff
