#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "algorithms/kernels/bfloat16.h"
#include "algorithms/kernels/half.h"
#include "algorithms/models/safetensors.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

// Biases, norms and class tokens are vectors in the ecosystem, whatever a layout makes of them.
bool is_vector(const Slice& s) { return s.cols == 1 && s.rows != 1; }

std::string encode(const Slice& slice, std::span<const float> values, StoredType type) {
  const auto rows = static_cast<std::size_t>(slice.rows),
             cols = static_cast<std::size_t>(slice.cols);
  const std::size_t width = type == StoredType::kF32 ? 4 : 2;
  std::string bytes(values.size() * width, '\0');
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      const bool stored_out_in = slice.order == Order::kOutIn;
      const float value = values[stored_out_in ? i * cols + j : j * rows + i];
      char* const to = bytes.data() + (i * cols + j) * width;
      if (type == StoredType::kF32) {
        std::memcpy(to, &value, 4);
        continue;
      }
      const std::uint16_t half =
          type == StoredType::kF16 ? kernels::to_half(value) : kernels::to_bfloat16(value);
      std::memcpy(to, &half, 2);
    }
  }
  return bytes;
}

std::string header_of(const Layout& layout, StoredType type,
                      const std::vector<std::pair<std::string, std::string>>& metadata) {
  const std::size_t width = type == StoredType::kF32 ? 4 : 2;
  const char* name = type == StoredType::kF32 ? "F32" : type == StoredType::kF16 ? "F16" : "BF16";
  nlohmann::ordered_json header;
  nlohmann::ordered_json about = {{"format", "pt"}};  // what transformers asks for
  for (const auto& [key, value] : metadata) about[key] = value;
  header["__metadata__"] = about;
  std::size_t at = 0;
  for (const Slice& s : layout.slices) {
    const std::size_t end = at + s.size() * width;
    std::vector<int> shape{s.rows};
    if (!is_vector(s)) shape.push_back(s.cols);
    header[s.name] = {{"dtype", name}, {"shape", shape}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the values begin on 8 bytes
  return text;
}

}  // namespace

void write_safetensors(const std::string& path, const Vector& weights, StoredType type,
                       const std::vector<std::pair<std::string, std::string>>& metadata) {
  SKIFF_CHECK(type == StoredType::kF32 || type == StoredType::kF16 || type == StoredType::kBF16,
              "a type that is read only");
  const std::string part = path + ".part";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(part.c_str(), "wb"),
                                                             std::fclose);
  const auto fail = [&] { throw RunError(fmt::format("{}: {}", part, std::strerror(errno))); };
  if (file == nullptr) fail();
  const auto put = [&](const void* bytes, std::size_t n) {
    if (std::fwrite(bytes, 1, n, file.get()) != n) fail();
  };
  const std::string header = header_of(*weights.layout, type, metadata);
  const std::uint64_t length = header.size();
  put(&length, 8);
  put(header.data(), header.size());
  for (const Slice& s : weights.layout->slices) {
    const std::string bytes =
        encode(s, std::span(weights.values).subspan(s.offset, s.size()), type);
    put(bytes.data(), bytes.size());
  }
  if (std::fflush(file.get()) != 0 || std::rename(part.c_str(), path.c_str()) != 0) fail();
}

}  // namespace skiff
