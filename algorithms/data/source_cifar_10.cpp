// CIFAR-10 in its binary version (Krizhevsky 2009): a folder of data_batch_1.bin ... and a test
// batch; .bin.gz and, where the program xz is installed, .bin.xz as well.
//
// A record is 3,073 bytes: the label 0..9, then 1,024 red, green and blue bytes, each plane 32 x 32
// row-major; pixels become v / 255. Fewer than five batches are a subset: as many as are there.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "algorithms/data/input_file.h"
#include "algorithms/data/source.h"

namespace skiff {
namespace {
struct Cifar10Params {
  FilePath path;
};
}  // namespace

template <>
Schema<Cifar10Params> schema() {
  Schema<Cifar10Params> s;
  s.field("path", &Cifar10Params::path, "folder of data_batch_1.bin(.gz, .xz) ... and a test batch")
      .required("by cifar-10: the folder of its binary files");
  return s;
}

namespace {

constexpr std::size_t kPixelBytes = 3072, kRecord = kPixelBytes + 1;
constexpr int kClasses = 10;

void append_batch(const std::string& path, Samples& samples) {
  InputFile file(path);
  if (file.plain()) {
    const auto records = static_cast<std::size_t>(file.most_bytes()) / kRecord;
    samples.labels.reserve(samples.labels.size() + records);
    samples.features.reserve(samples.features.size() + records * kPixelBytes);
  }
  std::array<std::uint8_t, kRecord> record{};
  std::array<float, 256> value{};
  for (std::size_t v = 0; v < value.size(); ++v) value[v] = static_cast<float>(v) / 255.0f;
  for (;;) {
    const std::int64_t at = file.offset();
    const std::size_t got = file.read(record.data(), kRecord);
    if (got == 0) break;
    if (got < kRecord) {
      throw DataError(path, file.offset(),
                      fmt::format("the file ends inside record {}; a record has {} bytes",
                                  at / static_cast<std::int64_t>(kRecord), kRecord));
    }
    if (record[0] >= kClasses) {
      throw DataError(path, at, fmt::format("label {}; expected 0..9", record[0]));
    }
    samples.labels.push_back(record[0]);
    samples.features.resize(samples.labels.size() * kPixelBytes);
    float* row = samples.row(samples.rows() - 1);
    for (std::size_t j = 0; j < kPixelBytes; ++j) row[j] = value[record[j + 1]];
  }
  if (file.offset() == 0) throw DataError(path, "has no records");
}

// The test batch, whatever it is called: test_batch.bin, or the only test*.bin of the folder.
std::string test_file(const std::string& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::string name = entry.path().filename().string();
    for (const char* suffix : {".gz", ".xz"}) {
      if (name.ends_with(suffix)) name.resize(name.size() - 3);
    }
    if (name.starts_with("test") && name.ends_with(".bin")) names.insert(name);
  }
  if (names.contains("test_batch.bin")) return find_encoded(folder, {"test_batch.bin"});
  if (names.size() > 1) {
    throw DataError(folder, fmt::format("has several test batches, {} and {}; keep one",
                                        *names.begin(), *names.rbegin()));
  }
  return names.empty() ? "" : find_encoded(folder, {*names.begin()});
}

class Cifar10 final : public DataSource {
 public:
  explicit Cifar10(const Cifar10Params& params) : params_(params) {}

  LoadedData load(const DataOptions&, std::uint64_t) const override {
    LoadedData data;
    data.shape = classification_shape(static_cast<int>(kPixelBytes), kClasses);
    data.train.width = data.test.width = data.shape.width;
    for (int batch = 1; batch <= 5; ++batch) {
      const std::string path =
          find_encoded(params_.path.path, {fmt::format("data_batch_{}.bin", batch)});
      if (!path.empty()) append_batch(path, data.train);
    }
    if (data.train.rows() == 0) {
      throw DataError(params_.path.path, "has no data_batch_1.bin, .bin.gz or .bin.xz");
    }
    const std::string test = test_file(params_.path.path);
    if (!test.empty()) append_batch(test, data.test);
    data.has_test = !test.empty();
    return data;
  }

 private:
  Cifar10Params params_;
};

SKIFF_REGISTER(
    DataSource, Cifar10, Cifar10Params,
    {.name = "cifar-10",
     .summary = "natural images 3 x 32 x 32 of ten classes; as many batches as there are",
     .paper = "Krizhevsky 2009",
     .verified = "class counts and channel means of the official batches"});

}  // namespace
}  // namespace skiff
