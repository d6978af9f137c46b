// Which weights of a matrix go: exact counts, ties settled.
//
// A Mask has one value an entry, row-major outputs x inputs; 1 = removed. The lowest scores go;
// among equal scores the lower index goes first, so counts are exact and the choice is the same
// everywhere. Scores are not negative; a score that is no number counts as infinite. Pure
// functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace skiff::pruning {

using Mask = std::vector<std::uint8_t>;

// floor(n p) and ceil(n p) with a hair's breadth for what 0.29 * 100 is in binary.
std::int64_t floor_share(std::int64_t n, double p);
std::int64_t ceil_share(std::int64_t n, double p);

// Of every `of` consecutive inputs of an output, `gone` go; what is left over at the end of a row
// stays. of = 0: no such pattern.
struct Pattern {
  int gone = 0, of = 0;
  bool exists() const { return of > 0; }
};
// Of the word of a scenario: "2-of-4", "4-of-8"; none for the others.
Pattern pattern_of(const std::string& structure);
// Entries that the pattern removes of a matrix.
std::int64_t pattern_count(const Pattern& pattern, std::int64_t rows, std::int64_t cols);

// The k lowest scores of all: out[i] = 1, the others 0.
void lowest(std::span<const double> scores, std::int64_t k, std::span<std::uint8_t> out);
Mask lowest(std::span<const double> scores, std::int64_t k);
// Of the k lowest of all, those in the first columns: rows x first.
void lowest_of_first_columns(std::span<const double> scores, int cols, std::int64_t k, int first,
                             Mask& out);
// The k lowest of each row.
Mask lowest_of_rows(std::span<const double> scores, int cols, std::int64_t k);
Mask lowest_of_pattern(std::span<const double> scores, int cols, const Pattern& pattern);

std::int64_t count(const Mask& mask);

}  // namespace skiff::pruning
