// MNIST and whatever has its layout (Fashion-MNIST, EMNIST digits): a folder with four IDX files,
// plain or .gz (LeCun, Cortes, Burges).
//
// IDX: bytes 0 0, type (0x08 = unsigned byte), rank; rank big-endian uint32 dimensions; then
// row-major data. Pixels become v / 255.
#include <fmt/format.h>

#include <array>

#include "algorithms/data/input_file.h"
#include "algorithms/data/source.h"

namespace skiff {
namespace {
struct MnistParams {
  FilePath path;
  int classes = 10;
};
}  // namespace

template <>
Schema<MnistParams> schema() {
  Schema<MnistParams> s;
  s.field("path", &MnistParams::path, "folder of train-images-idx3-ubyte(.gz) and its three kin")
      .required("by mnist: the folder of its four files");
  s.field("classes", &MnistParams::classes, "labels are 0 to classes - 1").in(2, 256);
  return s;
}

namespace {

struct IdxHeader {
  std::uint32_t count = 0, height = 1, width = 1;
};

std::uint32_t big_endian(const std::uint8_t* b) {
  return static_cast<std::uint32_t>(b[0]) << 24 | static_cast<std::uint32_t>(b[1]) << 16 |
         static_cast<std::uint32_t>(b[2]) << 8 | b[3];
}

IdxHeader read_header(InputFile& file, int rank) {
  std::array<std::uint8_t, 16> bytes{};
  file.read_exactly(bytes.data(), 4, "IDX magic number");
  if (bytes[0] != 0 || bytes[1] != 0) {
    throw DataError(file.path(), 0,
                    fmt::format("expected an IDX file (00 00 08 {:02}), found {:02x} {:02x} {:02x} "
                                "{:02x}",
                                rank, bytes[0], bytes[1], bytes[2], bytes[3]));
  }
  if (bytes[2] != 0x08) {
    throw DataError(file.path(), 2,
                    fmt::format("expected type 0x08 (unsigned bytes), found 0x{:02x}", bytes[2]));
  }
  if (bytes[3] != rank) {
    throw DataError(file.path(), 3,
                    fmt::format("expected {} dimensions ({}), found {}", rank,
                                rank == 1 ? "labels" : "images", bytes[3]));
  }
  file.read_exactly(bytes.data(), static_cast<std::size_t>(rank) * 4, "IDX dimensions");
  IdxHeader header{big_endian(bytes.data())};
  if (header.count == 0 || header.count > 1u << 30) {
    throw DataError(file.path(), 4, fmt::format("{} samples", header.count));
  }
  if (rank == 3) {
    header.height = big_endian(bytes.data() + 4);
    header.width = big_endian(bytes.data() + 8);
    for (const std::uint32_t side : {header.height, header.width}) {
      if (side == 0 || side > 4096) {
        throw DataError(file.path(), 8,
                        fmt::format("images of {} x {} pixels", header.height, header.width));
      }
    }
  }
  file.require(
      std::uint64_t{header.count} * header.height * header.width,
      rank == 1 ? fmt::format("{} labels", header.count)
                : fmt::format("{} images of {} x {}", header.count, header.height, header.width));
  return header;
}

std::vector<std::int32_t> read_labels(const std::string& path, int classes) {
  InputFile file(path);
  const IdxHeader header = read_header(file, 1);
  std::vector<std::uint8_t> bytes(header.count);
  const std::int64_t begin = file.offset();
  file.read_exactly(bytes.data(), bytes.size(), "labels");
  file.expect_end();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] >= classes) {
      throw DataError(
          path, begin + static_cast<std::int64_t>(i),
          fmt::format("label {} of sample {}; expected 0..{}", bytes[i], i, classes - 1));
    }
  }
  return {bytes.begin(), bytes.end()};
}

Samples read_pair(const std::string& images, const std::string& labels, int classes,
                  IdxHeader& header) {
  InputFile file(images);
  header = read_header(file, 3);
  std::vector<std::int32_t> label = read_labels(labels, classes);
  if (label.size() != header.count) {
    throw DataError(
        labels, 4,
        fmt::format("{} labels for the {} images of {}", label.size(), header.count, images));
  }
  std::array<float, 256> value{};
  for (std::size_t v = 0; v < value.size(); ++v) value[v] = static_cast<float>(v) / 255.0f;
  Samples samples(header.count, static_cast<int>(header.height * header.width));
  samples.labels = std::move(label);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(samples.width));
  for (int i = 0; i < samples.rows(); ++i) {
    file.read_exactly(pixels.data(), pixels.size(), fmt::format("image {}", i));
    float* row = samples.row(i);
    for (std::size_t j = 0; j < pixels.size(); ++j) row[j] = value[pixels[j]];
  }
  file.expect_end();
  return samples;
}

class Mnist final : public DataSource {
 public:
  explicit Mnist(const MnistParams& params) : params_(params) {}

  LoadedData load(const DataOptions&, std::uint64_t) const override {
    LoadedData data;
    IdxHeader train, test;
    const std::string images = file("train-images", 3), labels = file("train-labels", 1);
    const std::string test_images = file("t10k-images", 3), test_labels = file("t10k-labels", 1);
    data.train = read_pair(images, labels, params_.classes, train);
    data.test = read_pair(test_images, test_labels, params_.classes, test);
    if (train.height != test.height || train.width != test.width) {
      throw DataError(test_images, 8,
                      fmt::format("{} x {} pixels, but {} x {} in training", test.height,
                                  test.width, train.height, train.width));
    }
    data.has_test = true;
    data.shape = {TaskKind::kClassification,
                  data.train.width,
                  params_.classes,
                  1,
                  static_cast<int>(train.height),
                  static_cast<int>(train.width)};
    return data;
  }

 private:
  std::string file(const std::string& part, int rank) const {
    const std::string name = fmt::format("{}-idx{}-ubyte", part, rank);
    const std::string dotted = fmt::format("{}.idx{}-ubyte", part, rank);  // as unzip leaves it
    std::string path = find_encoded(params_.path.path, {name, dotted});
    if (path.empty()) {
      throw DataError(params_.path.path, fmt::format("has no {} or {}.gz", name, name));
    }
    return path;
  }

  MnistParams params_;
};

SKIFF_REGISTER(DataSource, Mnist, MnistParams,
               {.name = "mnist",
                .summary = "handwritten digits 28 x 28, or any folder of the same four IDX files",
                .paper = "LeCun, Cortes, Burges 1998",
                .verified = "pixel sum and label counts of the official files"});

}  // namespace
}  // namespace skiff
