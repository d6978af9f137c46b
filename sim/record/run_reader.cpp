#include "sim/record/run_reader.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/core/error.h"
#include "sim/record/hdf5_handle.h"

namespace skiff {
namespace {

using hdf5::Handle;

Handle open_file(const std::filesystem::path& file) {
  hdf5::silence();
  return Handle(H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, "opening");
}
Handle open_group(hid_t parent, const std::string& path) {
  return Handle(H5Gopen2(parent, path.c_str(), H5P_DEFAULT), H5Gclose, "opening " + path);
}

std::string text_attribute(hid_t object, const char* name) {
  if (H5Aexists(object, name) <= 0) return "";
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, "reading an attribute");
  const Handle type(H5Aget_type(attribute.get()), H5Tclose, "reading an attribute");
  if (H5Tis_variable_str(type.get()) > 0) {
    char* text = nullptr;
    hdf5::checked(H5Aread(attribute.get(), type.get(), &text), "reading an attribute");
    const std::string copy = text != nullptr ? text : "";
    H5free_memory(text);
    return copy;
  }
  std::string text(H5Tget_size(type.get()), '\0');
  hdf5::checked(H5Aread(attribute.get(), type.get(), text.data()), "reading an attribute");
  return text.c_str();
}

std::int64_t number_attribute(hid_t object, const char* name) {
  if (H5Aexists(object, name) <= 0) return 0;
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, "reading an attribute");
  std::int64_t number = 0;
  hdf5::checked(H5Aread(attribute.get(), H5T_NATIVE_INT64, &number), "reading an attribute");
  return number;
}

std::vector<double> column(hid_t group, const std::string& name) {
  const Handle dataset(H5Dopen2(group, name.c_str(), H5P_DEFAULT), H5Dclose, "reading " + name);
  const Handle space(H5Dget_space(dataset.get()), H5Sclose, "reading " + name);
  const hssize_t n = H5Sget_simple_extent_npoints(space.get());
  std::vector<double> values(n > 0 ? static_cast<std::size_t>(n) : 0);
  if (n > 0) {
    hdf5::checked(
        H5Dread(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
        "reading " + name);
  }
  return values;
}

std::vector<std::string> datasets_of(hid_t group) {
  std::vector<std::string> names;
  H5Literate(
      group, H5_INDEX_NAME, H5_ITER_INC, nullptr,
      [](hid_t id, const char* name, const H5L_info_t*, void* out) -> herr_t {
        const hid_t object = H5Oopen(id, name, H5P_DEFAULT);
        if (H5Iget_type(object) == H5I_DATASET) {
          static_cast<std::vector<std::string>*>(out)->push_back(name);
        }
        H5Oclose(object);
        return 0;
      },
      &names);
  return names;
}

void read_rounds(hid_t file, StoredRun& run) {
  const Handle group = open_group(file, "/rounds");
  const auto total = [&](const char* name) {
    const std::vector<double> values = column(group.get(), name);
    return std::accumulate(values.begin(), values.end(), 0.0);
  };
  const std::vector<double> numbers = column(group.get(), "round");
  run.rounds = static_cast<std::int64_t>(numbers.size());
  const std::vector<double> times = column(group.get(), "virtual_time");
  if (!times.empty()) run.virtual_time = Seconds(times.back());
  run.bytes_down = Bytes(static_cast<std::int64_t>(total("bytes_down")));
  run.bytes_up = Bytes(static_cast<std::int64_t>(total("bytes_up")));
  run.energy = Joules(total("energy"));
  const std::vector<std::string> plain = {
      "round",   "virtual_time", "bytes_down", "bytes_up", "bytes_wasted", "energy",
      "invited", "accepted",     "late",       "refused",  "aborted",      "staleness_mean"};
  for (const std::string& name : datasets_of(group.get())) {
    if (std::find(plain.begin(), plain.end(), name) != plain.end()) continue;
    const std::vector<double> values = column(group.get(), name);
    if (!values.empty() && std::isfinite(values.back())) {
      run.last_metrics.emplace_back(name, values.back());
    }
  }
}

void read_tables(hid_t file, StoredRun& run) {
  for (const char* name : {"rounds", "attempts", "devices", "tiers", "layers", "evaluations"}) {
    if (H5Lexists(file, name, H5P_DEFAULT) <= 0) continue;
    const Handle group = open_group(file, name);
    const std::vector<std::string> columns = datasets_of(group.get());
    StoredTable table{name, 0, static_cast<std::int64_t>(columns.size())};
    for (const std::string& c : columns) {
      const Handle dataset(H5Dopen2(group.get(), c.c_str(), H5P_DEFAULT), H5Dclose, "reading");
      const Handle space(H5Dget_space(dataset.get()), H5Sclose, "reading");
      hsize_t sizes[H5S_MAX_RANK] = {};
      if (H5Sget_simple_extent_dims(space.get(), sizes, nullptr) == 1) {
        table.rows = std::max(table.rows, static_cast<std::int64_t>(sizes[0]));
      }
    }
    run.tables.push_back(table);
  }
}

}  // namespace

StoredRun read_run(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) throw DataError(path.string(), "no such file");
  try {
    const Handle file = open_file(path);
    StoredRun run;
    run.name = text_attribute(file.get(), "name");
    run.case_name = text_attribute(file.get(), "case");
    run.seed = number_attribute(file.get(), "seed");
    run.status = text_attribute(file.get(), "status");
    run.results_sha256 = text_attribute(file.get(), "results_sha256");
    run.fingerprint = text_attribute(file.get(), "fingerprint");
    const Handle provenance = open_group(file.get(), "/provenance");
    run.config_sha256 = text_attribute(provenance.get(), "config_sha256");
    run.skiff_version = text_attribute(provenance.get(), "skiff_version");
    read_rounds(file.get(), run);
    read_tables(file.get(), run);
    return run;
  } catch (const hdf5::Failure& e) {
    throw DataError(path.string(), std::string("is no run of skiff: ") + e.what());
  }
}

std::string existing_config_sha256(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return "";
  try {
    const Handle file = open_file(path);
    return text_attribute(open_group(file.get(), "/provenance").get(), "config_sha256");
  } catch (const hdf5::Failure&) {
    return "";
  }
}

}  // namespace skiff
