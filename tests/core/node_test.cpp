#include "sim/core/node.h"

#include <gtest/gtest.h>

#include "tests/core/node_text.h"

namespace skiff {
namespace {

TEST(NodeTest, FindSetErase) {
  Node map = parse_node("{a: 1, b: {c: 2}}");
  ASSERT_NE(map.find("b"), nullptr);
  EXPECT_EQ(map.find("b")->find("c")->text, "2");
  EXPECT_EQ(map.find("z"), nullptr);
  map.set("a", Node::scalar("9"));
  map.set("d", Node::scalar("4"));
  map.erase("b");
  EXPECT_EQ(to_flow_text(map), "{a: 9, d: 4}");
  Node fresh;
  fresh.set("k", Node::scalar("v"));
  EXPECT_TRUE(fresh.is_map());
}

TEST(NodeTest, FlowTextReadsBack) {
  const std::string text = R"({a: 1, b: [x, "10", {c: null}], d: "a, b: c", e: ""})";
  EXPECT_EQ(to_flow_text(parse_node(text)), text);
}

TEST(NodeTest, FlowTextQuotesWhatWouldReadDifferently) {
  EXPECT_EQ(to_flow_text(Node::scalar("a: b")), R"("a: b")");
  EXPECT_EQ(to_flow_text(Node::scalar("say \"hi\"")), R"("say \"hi\"")");
  EXPECT_EQ(to_flow_text(Node::scalar("two\nlines")), R"("two\nlines")");
  EXPECT_EQ(to_flow_text(Node::scalar("")), R"("")");
}

}  // namespace
}  // namespace skiff
