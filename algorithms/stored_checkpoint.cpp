#include "algorithms/stored_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "algorithms/stored_formats.h"
#include "sim/core/error.h"

namespace fs = std::filesystem;

namespace skiff {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Node& node) {
  if (node.is_scalar()) return node.text;
  Json map = Json::object();
  for (const Node::Entry& entry : node.entries) map[entry.key] = json_of(entry.value);
  return map;
}

Node node_of(const Json& json) {
  if (json.is_string()) return Node::scalar(json.get<std::string>());
  if (!json.is_object()) throw std::invalid_argument("parameters are words or maps");
  Node map;
  map.kind = Node::Kind::kMap;
  for (const auto& [key, value] : json.items()) map.set(key, node_of(value));
  return map;
}

// One array on its way into the file.
struct Entry {
  std::string name, type;
  std::vector<std::int64_t> shape;
  std::size_t tensor = 0, array = 0;
  std::uint64_t begin = 0, bytes = 0;
};

std::int64_t bytes_of_type(const std::string& type) {
  return type.ends_with("32") ? 4 : type.ends_with("16") ? 2 : 1;
}

std::vector<Entry> entries_of(const Model& model) {
  std::vector<Entry> all;
  std::uint64_t at = 0;
  for (std::size_t t = 0; t < model.tensors.size(); ++t) {
    const StoredTensor& tensor = model.tensors[t];
    const std::string& name = model.layout->slices[t].name;
    const bool dense = tensor.values->format() == "dense";
    std::size_t index = 0;
    for (const StoredArray& array : tensor.values->arrays()) {
      Entry entry{dense ? name : name + "." + array.name,
                  array.type,
                  {},
                  t,
                  index++,
                  at,
                  array.bytes.size()};
      entry.shape = {static_cast<std::int64_t>(array.bytes.size()) / bytes_of_type(array.type)};
      if (dense) {
        entry.shape = {tensor.rows};
        if (tensor.cols != 1 || tensor.rows == 1) entry.shape.push_back(tensor.cols);
      }
      at += array.bytes.size();
      all.push_back(std::move(entry));
    }
  }
  return all;
}

class File {
 public:
  explicit File(std::string path) : path_(std::move(path)), part_(path_ + ".part") {
    file_.reset(std::fopen(part_.c_str(), "wb"));
    if (file_ == nullptr) fail();
  }
  void put(const void* bytes, std::size_t n) {
    if (n > 0 && std::fwrite(bytes, 1, n, file_.get()) != n) fail();
  }
  void done() {
    if (std::fflush(file_.get()) != 0 || std::rename(part_.c_str(), path_.c_str()) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw RunError(fmt::format("{}: {}", part_, std::strerror(errno)));
  }
  std::string path_, part_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{nullptr, std::fclose};
};

void write_arrays(const std::string& path, const Model& model) {
  const std::vector<Entry> entries = entries_of(model);
  Json header;
  header["__metadata__"] = {{"format", "pt"}};
  for (const Entry& e : entries) {
    header[e.name] = {
        {"dtype", e.type}, {"shape", e.shape}, {"data_offsets", {e.begin, e.begin + e.bytes}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  File file(path);
  const std::uint64_t length = text.size();
  file.put(&length, 8);
  file.put(text.data(), text.size());
  for (const StoredTensor& tensor : model.tensors) {
    for (const StoredArray& array : tensor.values->arrays()) {
      file.put(array.bytes.data(), array.bytes.size());
    }
  }
  file.done();
}

// Rows or columns of the whole model that are left; empty: all of them.
std::vector<int> kept_indices(const Json& about, const char* key, int whole) {
  std::vector<int> kept = about.value(key, std::vector<int>{});
  const bool ascends =
      std::adjacent_find(kept.begin(), kept.end(), std::greater_equal<>()) == kept.end();
  if (!kept.empty() && (!ascends || kept.front() < 0 || kept.back() >= whole)) {
    throw std::invalid_argument(fmt::format("{} are no places among {}", key, whole));
  }
  return kept;
}

int left(const std::vector<int>& kept, int whole) {
  return kept.empty() ? whole : static_cast<int>(kept.size());
}

// `slice`: as it is stored, without what was cut out.
StoredTensor stored_tensor(const CheckpointPtr& checkpoint, const Slice& slice, const Json& about) {
  StoredParts parts{slice.rows, slice.cols, {}, {}};
  if (about.value("rows", 0) != slice.rows || about.value("cols", 0) != slice.cols) {
    throw std::invalid_argument(fmt::format("{} x {}; the model's is {} x {}",
                                            about.value("rows", 0), about.value("cols", 0),
                                            slice.rows, slice.cols));
  }
  const std::string format = about.at("format").get<std::string>();
  if (format == "dense") {
    auto one = std::make_shared<Layout>();
    one->add(slice.name, slice.rows, slice.cols);
    return mapped_model(checkpoint, one).tensors.front();
  }
  parts.parameters = node_of(about.at("parameters"));
  for (const CheckpointTensor& t : checkpoint->tensors()) {
    if (!t.name.starts_with(slice.name + ".")) continue;
    parts.arrays.push_back(
        {t.name.substr(slice.name.size() + 1), t.type_name, {t.bytes.begin(), t.bytes.end()}});
  }
  return {slice.rows, slice.cols, make_stored_values(format, parts)};
}

// What compression.json says of one tensor; of a whole dense one nothing.
std::optional<Json> about_tensor(const Model& model, std::size_t t) {
  const StoredTensor& tensor = model.tensors[t];
  const auto kept = [t](const std::vector<std::vector<int>>& all) {
    return t < all.size() ? all[t] : std::vector<int>{};
  };
  const std::vector<int> rows = kept(model.kept_rows), cols = kept(model.kept_cols);
  const std::string format(tensor.values->format());
  if (format == "dense" && rows.empty() && cols.empty()) return {};
  Json about = {{"format", format}, {"rows", tensor.rows}, {"cols", tensor.cols}};
  if (format != "dense") about["parameters"] = json_of(tensor.values->parameters());
  if (!rows.empty()) about["kept_rows"] = rows;
  if (!cols.empty()) about["kept_cols"] = cols;
  return about;
}

}  // namespace

void write_compressed(const std::string& folder, const Model& model,
                      const std::vector<std::string>& made_by) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw RunError(fmt::format("{}: {}", folder, error.message()));
  write_arrays((fs::path(folder) / "model.safetensors").string(), model);
  Json tensors = Json::object();
  for (std::size_t t = 0; t < model.tensors.size(); ++t) {
    if (auto about = about_tensor(model, t)) tensors[model.layout->slices[t].name] = *about;
  }
  const Json sidecar = {{"version", 1}, {"made_by", made_by}, {"tensors", tensors}};
  File file((fs::path(folder) / "compression.json").string());
  const std::string text = sidecar.dump(1) + "\n";
  file.put(text.data(), text.size());
  file.done();
}

std::optional<std::string> compression_beside(const Checkpoint& checkpoint) {
  fs::path folder = checkpoint.path();
  if (!fs::is_directory(folder)) folder = folder.parent_path();
  std::ifstream file(folder / "compression.json", std::ios::binary);
  if (!file) return {};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Model read_compressed(const CheckpointPtr& checkpoint, const std::string& compression,
                      const LayoutPtr& layout) {
  const std::string where = checkpoint->path() + ": compression.json";
  Model model;
  Layout narrow;  // without what was cut out
  try {
    const Json json = Json::parse(compression);
    if (json.value("version", 0) != 1) throw DataError(where, "of another version");
    const Json& tensors = json.at("tensors");
    for (const Slice& slice : layout->slices) {
      const Json about = tensors.value(slice.name, Json{{"format", "dense"}});
      try {
        model.kept_rows.push_back(kept_indices(about, "kept_rows", slice.rows));
        model.kept_cols.push_back(kept_indices(about, "kept_cols", slice.cols));
        const int rows = left(model.kept_rows.back(), slice.rows);
        const int cols = left(model.kept_cols.back(), slice.cols);
        const std::size_t t = narrow.add(slice.name, rows, cols, slice.order);
        Json known = about;
        if (!tensors.contains(slice.name)) known.update({{"rows", rows}, {"cols", cols}});
        model.tensors.push_back(stored_tensor(checkpoint, narrow.slices[t], known));
      } catch (const std::invalid_argument& reason) {
        throw DataError(where, slice.name + ": " + reason.what());
      }
    }
  } catch (const Json::exception& reason) {
    throw DataError(where, reason.what());
  }
  const auto whole = [](const std::vector<int>& kept) { return kept.empty(); };
  if (std::all_of(model.kept_rows.begin(), model.kept_rows.end(), whole) &&
      std::all_of(model.kept_cols.begin(), model.kept_cols.end(), whole)) {
    model.kept_rows.clear();
    model.kept_cols.clear();
    model.layout = layout;
  } else {
    model.layout = std::make_shared<const Layout>(std::move(narrow));
  }
  return model;
}

}  // namespace skiff
