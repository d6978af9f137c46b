#include "sim/record/run_reader.h"

#include <hdf5_hl.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "sim/core/error.h"
#include "sim/record/hdf5_handle.h"

namespace skiff {
namespace {

namespace fs = std::filesystem;
using hdf5::checked;
using hdf5::Handle;

Handle open_file(const fs::path& file) {
  hdf5::silence();
  std::error_code error;
  if (!fs::exists(file, error)) throw DataError(file.string(), "no such file");
  try {
    return {H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, "opening"};
  } catch (const hdf5::Failure& failure) {
    throw DataError(file.string(), std::string("not a readable run: ") + failure.what());
  }
}

Handle open_attribute(hid_t file, const std::string& object, const std::string& name) {
  if (H5Aexists_by_name(file, object.c_str(), name.c_str(), H5P_DEFAULT) <= 0) return {};
  return {H5Aopen_by_name(file, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
          name};
}

template <class T>
T scalar(hid_t file, const std::string& name, hid_t type, T missing) {
  const Handle attribute = open_attribute(file, "/", name);
  T value = missing;
  if (attribute && H5Aread(attribute.get(), type, &value) < 0) return missing;
  return value;
}

herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

// The columns of /rounds that every run has; the others are metrics.
bool is_metric(const std::string& column) {
  for (const char* fixed :
       {"virtual_time", "bytes_down", "bytes_up", "bytes_wasted", "energy", "invited", "accepted",
        "late", "refused", "aborted", "staleness_mean"}) {
    if (column == fixed) return false;
  }
  return true;
}

void read_rounds(const RunReader& file, StoredRun& run) {
  const auto total = [&](const char* name) {
    const std::vector<double> values = file.column(name);
    return std::accumulate(values.begin(), values.end(), 0.0);
  };
  const std::vector<double> numbers = file.column("/rounds/round");
  const std::vector<double> times = file.column("/rounds/virtual_time");
  if (!numbers.empty()) run.rounds = static_cast<std::int64_t>(numbers.back());
  if (!times.empty()) run.virtual_time = Seconds(times.back());
  run.bytes_down = Bytes(static_cast<std::int64_t>(total("/rounds/bytes_down")));
  run.bytes_up = Bytes(static_cast<std::int64_t>(total("/rounds/bytes_up")));
  run.energy = Joules(total("/rounds/energy"));
  for (const std::string& name : file.columns("/rounds")) {
    if (!is_metric(name)) continue;
    const std::vector<double> values = file.column("/rounds/" + name);
    const auto last = std::find_if(values.rbegin(), values.rend(),
                                   [](double value) { return std::isfinite(value); });
    if (last != values.rend()) run.last_metrics.emplace_back(name, *last);
  }
}

std::vector<StoredTable> read_tables(const RunReader& file) {
  std::vector<StoredTable> tables;
  for (const std::string name :
       {"rounds", "attempts", "devices", "tiers", "layers", "evaluations", "memory", "model"}) {
    const std::string group = "/" + name;
    if (!file.has(group)) continue;
    const std::vector<std::string> columns = file.columns(group);
    StoredTable table{.name = name, .columns = static_cast<std::int64_t>(columns.size())};
    for (const std::string& column : columns) {
      if (name == "model" && column != "values") continue;
      const std::vector<std::uint64_t> shape = file.shape(group + "/" + column);
      table.rows = static_cast<std::int64_t>(shape.at(0));
      if (shape.size() > 1) table.labels = static_cast<std::int64_t>(shape[1]);
    }
    tables.push_back(table);
  }
  return tables;
}

}  // namespace

struct RunReader::File {
  fs::path path;
  Handle handle;
  hid_t id() const { return handle.get(); }
  Handle dataset(const std::string& name) const {
    const hid_t data = H5Dopen2(id(), name.c_str(), H5P_DEFAULT);
    if (data < 0) throw DataError(path.string(), "column " + name + " is missing or damaged");
    return {data, H5Dclose, name};
  }
};

RunReader::~RunReader() = default;

RunReader::RunReader(const fs::path& file) : path_(file), file_(new File{file, open_file(file)}) {
  if (number("schema_version") == 0) fail("not a run of skiff");
}

void RunReader::fail(const std::string& what) const { throw DataError(path_.string(), what); }

std::string RunReader::text_of(const std::string& object, const std::string& name) const {
  if (!has(object)) return {};
  const Handle attribute = open_attribute(file_->id(), object, name);
  if (!attribute) return {};
  const Handle type(H5Aget_type(attribute.get()), H5Tclose, name);
  if (H5Tis_variable_str(type.get()) <= 0) return {};
  char* data = nullptr;
  if (H5Aread(attribute.get(), type.get(), &data) < 0) fail("attribute " + name + " is damaged");
  std::string text = data == nullptr ? "" : data;
  H5free_memory(data);
  return text;
}

std::int64_t RunReader::number(const std::string& name) const {
  return scalar<std::int64_t>(file_->id(), name, H5T_NATIVE_INT64, 0);
}

double RunReader::real(const std::string& name) const {
  return scalar<double>(file_->id(), name, H5T_NATIVE_DOUBLE, std::nan(""));
}

bool RunReader::has(const std::string& object) const {
  if (object == "/") return true;
  const auto slash = object.rfind('/');
  if (slash != 0 && !has(object.substr(0, slash))) return false;
  return H5Lexists(file_->id(), object.c_str(), H5P_DEFAULT) > 0;
}

std::vector<std::string> RunReader::columns(const std::string& group) const {
  std::vector<std::string> names, list;
  const hid_t id = H5Gopen2(file_->id(), group.c_str(), H5P_DEFAULT);
  if (id < 0) fail("no table " + group);
  const Handle handle(id, H5Gclose, group);
  H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_name, &names);
  for (const std::string& name : names) {
    if (H5DSis_scale(file_->dataset(group + "/" + name).get()) <= 0) list.push_back(name);
  }
  return list;
}

std::vector<std::uint64_t> RunReader::shape(const std::string& name) const {
  const Handle data = file_->dataset(name);
  const Handle space(H5Dget_space(data.get()), H5Sclose, name);
  const int dimensions = checked(H5Sget_simple_extent_ndims(space.get()), name);
  std::vector<hsize_t> extent(static_cast<std::size_t>(dimensions));
  H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr);
  return {extent.begin(), extent.end()};
}

std::vector<double> RunReader::column(const std::string& name) const {
  const Handle data = file_->dataset(name);
  std::size_t count = 1;
  for (const std::uint64_t n : shape(name)) count *= n;
  std::vector<double> values(count);
  if (count > 0 &&
      H5Dread(data.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    fail("column " + name + " is damaged");
  }
  return values;
}

std::vector<std::string> RunReader::words(const std::string& name) const {
  std::istringstream meanings(text_of(name, "flag_meanings"));
  std::vector<std::string> words;
  for (std::string word; meanings >> word;) words.push_back(word);
  return words;
}

StoredRun read_run(const fs::path& path) {
  const RunReader file(path);
  StoredRun run{.run_id = file.text("run_id"),
                .name = file.text("name"),
                .case_name = file.text("case"),
                .status = file.text("status"),
                .model = file.text("model"),
                .protocol = file.text("protocol"),
                .heuristics = file.text("heuristics"),
                .neutral_defaults = file.text("neutral_defaults"),
                .results_sha256 = file.text("results_sha256"),
                .fingerprint = file.text("fingerprint"),
                .config_sha256 = file.provenance("config_sha256"),
                .skiff_version = file.provenance("skiff_version"),
                .git_commit = file.provenance("git_commit"),
                .started_utc = file.provenance("started_utc"),
                .schema_version = file.number("schema_version"),
                .seed = file.number("seed"),
                .parameters = file.number("parameters"),
                .devices = file.number("devices"),
                .rounds_planned = file.number("rounds")};
  read_rounds(file, run);
  run.tables = read_tables(file);
  return run;
}

std::string existing_config_sha256(const fs::path& file) {
  std::error_code error;
  return fs::exists(file, error) ? RunReader(file).provenance("config_sha256") : "";
}

}  // namespace skiff
