// The skeletons of the ten digits, as polylines in a box of 1 x 1 (x right, y down).
//
// Each digit has a few forms that people write (a one with or without a foot, a seven with or
// without a bar). A form is a set of strokes; curved strokes are Catmull-Rom splines through their
// points. Built once, read-only afterwards, thread-safe.
#pragma once

#include <vector>

namespace skiff::glyphs {

struct Point {
  float x = 0, y = 0;
};
using Stroke = std::vector<Point>;
using Form = std::vector<Stroke>;

// The forms of digit 0..9, flattened to short segments.
const std::vector<Form>& forms_of(int digit);

}  // namespace skiff::glyphs
