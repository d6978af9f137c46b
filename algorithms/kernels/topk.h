// The k elements of greatest magnitude, exactly.
//
// Order: |x| descending, then index ascending, so the k elements are one well-defined set; -0
// counts as 0. Their indices come out ascending, ready for delta coding. Magnitudes are compared as
// the bits of x without the sign: a NaN would rank above infinity, so callers reject NaN first
// (contains_nan).
//
// Method: a threshold that keeps k and few more, one pass that compresses the survivors, a
// selection among them. Of up to 65,536 elements the threshold is the k-th greatest of the maxima
// of more than k groups, which k elements pass for certain; of more, that of 65,536 strided samples
// that keeps k and 6 standard deviations. If it misleads (too few survivors, or more than the
// scratch holds, say by a million ties), or k is a large share, three histogram passes find the
// threshold. Nothing is allocated. Thread-safe. Cost: about one read of x for small k; 10 M
// elements, k = 0.1, 1, 10 %: 3.0, 5.3, 11 ms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace skiff::kernels {

// Words of scratch for top_k of k among n elements.
std::size_t top_k_scratch(std::size_t n, std::size_t k) noexcept;

// Fills `indices` (its size is k <= x.size() < 2^32) and returns the least magnitude among them, 0
// for k = 0. Scratch: at least top_k_scratch(x.size(), indices.size()) words.
float top_k(std::span<std::uint32_t> indices, std::span<const float> x,
            std::span<std::uint32_t> scratch) noexcept;

// The precondition of top_k is that this is false.
bool contains_nan(std::span<const float> x) noexcept;

// out[i] = x[indices[i]]
void gather(std::span<float> out, std::span<const float> x,
            std::span<const std::uint32_t> indices) noexcept;
// x[indices[i]] = values[i]; other elements stay.
void scatter(std::span<float> x, std::span<const float> values,
             std::span<const std::uint32_t> indices) noexcept;

}  // namespace skiff::kernels
