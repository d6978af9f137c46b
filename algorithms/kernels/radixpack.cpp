#include "algorithms/kernels/radixpack.h"

#include <algorithm>
#include <cstring>

namespace skiff::kernels {
namespace {

__extension__ using Word = unsigned __int128;
constexpr std::size_t kWordBytes = sizeof(Word);

// The most digits whose greatest number fits in a word.
std::size_t digits(int n) noexcept {
  const auto base = static_cast<unsigned>(n);
  std::size_t k = 0;
  for (Word greatest = 0; greatest <= (~Word{0} - (base - 1)) / base; ++k) {
    greatest = greatest * base + (base - 1);
  }
  return k;
}

// Bytes of the greatest number of `count` digits.
std::size_t bytes_of(std::size_t count, int n) noexcept {
  Word greatest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    greatest = greatest * static_cast<unsigned>(n) + static_cast<unsigned>(n - 1);
  }
  std::size_t bytes = 0;
  for (; greatest != 0; greatest >>= 8) ++bytes;
  return bytes;
}

}  // namespace

std::size_t radix_bytes(std::size_t count, int n) noexcept {
  const std::size_t k = digits(n);
  return count / k * kWordBytes + bytes_of(count % k, n);
}

void pack_radix(std::span<std::uint8_t> out, std::span<const std::uint16_t> codes, int n) noexcept {
  const std::size_t k = digits(n);
  std::uint8_t* to = out.data();
  for (std::size_t i = 0; i < codes.size(); i += k) {
    const std::size_t count = std::min(k, codes.size() - i);
    Word word = 0;
    for (std::size_t j = count; j-- > 0;) word = word * static_cast<unsigned>(n) + codes[i + j];
    const std::size_t bytes = count == k ? kWordBytes : bytes_of(count, n);
    std::memcpy(to, &word, bytes);
    to += bytes;
  }
}

void unpack_radix(std::span<std::uint16_t> codes, std::span<const std::uint8_t> packed,
                  int n) noexcept {
  const std::size_t k = digits(n);
  const std::uint8_t* from = packed.data();
  for (std::size_t i = 0; i < codes.size(); i += k) {
    const std::size_t count = std::min(k, codes.size() - i);
    const std::size_t bytes = count == k ? kWordBytes : bytes_of(count, n);
    Word word = 0;
    std::memcpy(&word, from, bytes);
    from += bytes;
    for (std::size_t j = 0; j < count; ++j) {
      codes[i + j] = static_cast<std::uint16_t>(word % static_cast<unsigned>(n));
      word /= static_cast<unsigned>(n);
    }
  }
}

}  // namespace skiff::kernels
