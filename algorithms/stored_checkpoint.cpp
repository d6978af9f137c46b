#include "algorithms/stored_checkpoint.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "algorithms/stored_formats.h"
#include "sim/core/error.h"

namespace fs = std::filesystem;

namespace skiff {
namespace {

using Json = nlohmann::ordered_json;

// A tensor as it lies in a checkpoint.
class MappedValues final : public StoredValues {
 public:
  MappedValues(CheckpointPtr checkpoint, const CheckpointTensor& tensor, TensorRead read)
      : checkpoint_(std::move(checkpoint)), tensor_(tensor), read_(std::move(read)) {}

  std::string_view format() const override { return "dense"; }
  Bytes bytes() const override {
    return Bytes(
        static_cast<std::int64_t>(as_it_lies() ? tensor_.bytes.size() : sizeof(float) * size()));
  }
  void to_dense(std::span<float> out) const override {
    if (read_) read_(tensor_.name);
    tensor_.read(out);
  }
  std::vector<StoredArray> arrays() const override {
    if (as_it_lies()) {
      return {{"values", tensor_.type_name, {tensor_.bytes.begin(), tensor_.bytes.end()}}};
    }
    std::vector<float> values(size());
    tensor_.read(values);
    return {stored_array<float>("values", "F32", values)};
  }

 private:
  std::size_t size() const { return static_cast<std::size_t>(tensor_.elements()); }
  bool as_it_lies() const {
    const bool floats = tensor_.type == StoredType::kF32 || tensor_.type == StoredType::kF16 ||
                        tensor_.type == StoredType::kBF16;
    return floats && tensor_.interleaved_heads == 0;
  }

  CheckpointPtr checkpoint_;  // keeps tensor_
  const CheckpointTensor& tensor_;
  TensorRead read_;
};

int whole(const Checkpoint& checkpoint, const CheckpointTensor& tensor, std::int64_t n) {
  if (n >= 1 && n <= std::numeric_limits<std::int32_t>::max()) return static_cast<int>(n);
  throw DataError(checkpoint.path(), fmt::format("{} has a side of {} values", tensor.name, n));
}

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

StoredTensor stored_tensor(const CheckpointPtr& checkpoint, const std::string& name,
                           const Slice& slice, const Json& about) {
  StoredParts parts{slice.rows, slice.cols, {}, {}};
  if (about.value("rows", 0) != slice.rows || about.value("cols", 0) != slice.cols) {
    throw std::invalid_argument(fmt::format("{} x {}; the model's is {} x {}",
                                            about.value("rows", 0), about.value("cols", 0),
                                            slice.rows, slice.cols));
  }
  parts.parameters = node_of(about.at("parameters"));
  for (const CheckpointTensor& t : checkpoint->tensors()) {
    if (!t.name.starts_with(name + ".")) continue;
    parts.arrays.push_back(
        {t.name.substr(name.size() + 1), t.type_name, {t.bytes.begin(), t.bytes.end()}});
  }
  return {slice.rows, slice.cols, make_stored_values(about.at("format").get<std::string>(), parts)};
}

}  // namespace

LayoutPtr checkpoint_layout(const Checkpoint& checkpoint) {
  auto layout = std::make_shared<Layout>();
  for (const CheckpointTensor& t : checkpoint.tensors()) {
    const std::int64_t rows = t.shape.empty() ? 1 : t.shape.front();
    const std::int64_t cols = rows == 0 ? 0 : t.elements() / rows;
    layout->add(t.name, whole(checkpoint, t, rows), whole(checkpoint, t, cols));
  }
  return layout;
}

Model mapped_model(const CheckpointPtr& checkpoint, const LayoutPtr& layout, TensorRead read) {
  Model model{layout, {}, {}, {}};
  for (const Slice& slice : layout->slices) {
    const CheckpointTensor* tensor = checkpoint->find(slice.name);
    if (tensor == nullptr || tensor->elements() != static_cast<std::int64_t>(slice.size())) {
      throw DataError(checkpoint->path(), "has no tensor " + slice.name + " of that shape");
    }
    model.tensors.push_back(
        {slice.rows, slice.cols, std::make_shared<const MappedValues>(checkpoint, *tensor, read)});
  }
  return model;
}

void write_compressed(const std::string& folder, const Model& model,
                      const std::vector<std::string>& made_by) {
  if (!model.kept_rows.empty() || !model.kept_cols.empty()) {
    throw std::invalid_argument("a model that has lost channels or heads cannot be written yet");
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw RunError(fmt::format("{}: {}", folder, error.message()));
  write_arrays((fs::path(folder) / "model.safetensors").string(), model);
  Json tensors = Json::object();
  for (std::size_t t = 0; t < model.tensors.size(); ++t) {
    const StoredTensor& tensor = model.tensors[t];
    if (tensor.values->format() == "dense") continue;
    tensors[model.layout->slices[t].name] = {{"format", std::string(tensor.values->format())},
                                             {"rows", tensor.rows},
                                             {"cols", tensor.cols},
                                             {"parameters", json_of(tensor.values->parameters())}};
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
  Model model{layout, {}, {}, {}};
  try {
    const Json json = Json::parse(compression);
    if (json.value("version", 0) != 1) throw DataError(where, "of another version");
    const Json& tensors = json.at("tensors");
    for (const Slice& slice : layout->slices) {
      const auto about = tensors.find(slice.name);
      try {
        if (about != tensors.end()) {
          model.tensors.push_back(stored_tensor(checkpoint, slice.name, slice, *about));
          continue;
        }
      } catch (const std::invalid_argument& reason) {
        throw DataError(where, slice.name + ": " + reason.what());
      }
      auto one = std::make_shared<Layout>();
      one->add(slice.name, slice.rows, slice.cols);
      model.tensors.push_back(mapped_model(checkpoint, one).tensors.front());
    }
  } catch (const Json::exception& reason) {
    throw DataError(where, reason.what());
  }
  return model;
}

}  // namespace skiff
