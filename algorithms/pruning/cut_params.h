// The key that cutting heads needs besides what every pruner is told.
#pragma once

#include "algorithms/removal.h"

namespace skiff::pruning {

struct CutParams : Removal {
  int head_width = 0;
};

template <class P>
void check_head_width(const P& p, const Node& map, Reader& reader) {
  const bool heads = p.structure == "head" || p.structure == "channel-and-head";
  refuse_idle(!heads && p.head_width != 0, "head_width", "a structure with heads", map, reader);
}

template <class P>
void add_cut_fields(Schema<P>& s) {
  add_removal(s, {"unstructured", "2-of-4", "4-of-8", "channel", "head", "channel-and-head"});
  s.field("head_width", &P::head_width,
          "structures with heads: rows of one head of keys; 0 where none are cut")
      .in(0, 65536);
  s.check(check_head_width<P>);
}

}  // namespace skiff::pruning
