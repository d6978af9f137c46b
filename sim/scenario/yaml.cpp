#include "sim/scenario/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

namespace skiff {
namespace {

constexpr std::size_t kMostDepth = 64;
constexpr const char* kNoAnchors =
    "anchors, aliases and merge keys (&a, *a, <<) are not used here; write the value out, or use "
    "extends";

std::size_t position_in(const YAML::Mark& mark, std::string_view text) {
  return std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), text.size());
}

// Where the text was parsed from, for places and messages.
struct Origin {
  Origin(Location first, std::string root) : start(std::move(first)), path(std::move(root)) {}

  Location start;    // of the first character; an override stands in the middle of a line
  std::string path;  // of the root

  Location at(const YAML::Mark& mark, std::string_view text) const {
    if (mark.is_null()) return start;
    const bool first = mark.line == 0;
    return {start.file, start.line + (start.line > 0 ? mark.line : 0),
            characters_before(position_in(mark, text), text) + (first ? start.column : 1)};
  }

 private:
  // Of the same line, not bytes. Marks ascend, so that it goes on from where the last one was.
  int characters_before(std::size_t position, std::string_view text) const {
    if (position < known_) known_ = 0, characters_ = 0;
    for (; known_ < position; ++known_) {
      const char c = text[known_];
      if ((c & 0xC0) != 0x80) ++characters_;
      if (c == '\n') characters_ = 0;
    }
    return characters_;
  }
  mutable std::size_t known_ = 0;  // bytes of the text that were looked at
  mutable int characters_ = 0;
};

std::string unclosed(std::string_view text, bool map) {
  if (std::count(text.begin(), text.end(), '"') % 2 == 1) return "a quote is not closed";
  return map ? "a comma or the closing } is missing" : "a comma or the closing ] is missing";
}

struct Refused {};  // the problem was noted and reading cannot go on

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const Origin& origin, std::string_view text, std::vector<Problem>& problems)
      : origin_(origin), text_(text), problems_(problems) {}

  Node root;
  bool started = false;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started) refuse(mark, "a second document begins here; a scenario is one document");
    started = true;
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string&) override { refuse_anchor(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_anchor(mark); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    if (wants_key()) refuse_missing_key(mark);
    Node node;
    node.where = origin_.at(mark, text_);
    if (!frames_.empty() && frames_.back().node.is_map()) {
      Frame& frame = frames_.back();
      // The parser places a missing value where the next word stands.
      if (node.where.line != frame.key_place.line) node.where = frame.key_place;
      if (frame.key.find(':') != std::string::npos) {
        problem(frame.key_place, fmt::format("\"{}\": a space must follow the colon", frame.key));
        frame.key_open = false;
        return;
      }
    }
    place(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    check_tag(mark, tag);
    const Location where = origin_.at(mark, text_);
    if (wants_key()) {
      if (value == "<<" && tag != "!") refuse_anchor(mark);
      return open_key(value, where);
    }
    Node node = Node::scalar(value, where);
    node.quoted = tag == "!" || !is_plain_word(value);
    place(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::kList);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::kMap);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  // The innermost list or map that is still open, to blame for a missing bracket.
  const Location* innermost() const {
    return frames_.empty() ? nullptr : &frames_.back().node.where;
  }

 private:
  struct Frame {
    Node node;
    std::string key;
    Location key_place;
    bool key_open = false;   // a key was read, its value comes next
    bool duplicate = false;  // its value is read and forgotten
  };

  bool wants_key() const {
    return !frames_.empty() && frames_.back().node.is_map() && !frames_.back().key_open;
  }

  std::string path() const {
    std::string path = origin_.path;
    for (const Frame& f : frames_) {
      if (f.node.is_list()) {
        path += "[" + std::to_string(f.node.items.size()) + "]";
      } else if (f.key_open) {
        path += (path.empty() ? "" : ".") + f.key;
      }
    }
    return path;
  }

  void problem(const Location& where, const std::string& message) {
    problems_.push_back({where, path(), message, ""});
  }
  [[noreturn]] void refuse(const YAML::Mark& mark, const std::string& message) {
    problems_.push_back({origin_.at(mark, text_), path(), message, ""});
    throw Refused();
  }
  [[noreturn]] void refuse_anchor(const YAML::Mark& mark) { refuse(mark, kNoAnchors); }
  // A text that begins with a brace which nothing closes looks like a map as a key.
  std::string word_or_unclosed() const {
    const auto count = [&](char c) { return std::count(text_.begin(), text_.end(), c); };
    if (count('{') > count('}')) return unclosed(text_, true);
    if (count('[') > count(']')) return unclosed(text_, false);
    return "a key must be a word";
  }
  // The parser sees a missing key where the text ends within braces.
  [[noreturn]] void refuse_missing_key(const YAML::Mark& mark) {
    const std::size_t end = text_.find_last_not_of(" \n\r") + 1;
    if (!mark.is_null() && position_in(mark, text_) < end) refuse(mark, "a key must be a word");
    problem(frames_.back().node.where, unclosed(text_, true));
    throw Refused();
  }
  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      refuse(mark, "tags such as !!str are not used here; remove it");
    }
  }

  void open_key(const std::string& key, const Location& where) {
    Frame& frame = frames_.back();
    frame.key = key;
    frame.key_place = where;
    frame.key_open = true;
    const auto same = [&](const Node::Entry& e) { return e.key == key; };
    const auto first = std::find_if(frame.node.entries.begin(), frame.node.entries.end(), same);
    frame.duplicate = first != frame.node.entries.end();
    if (!frame.duplicate) return;
    problem(where, where.line > 0 ? fmt::format("used twice, here and on line {}; remove one",
                                                first->where.line)
                                  : "used twice; remove one");
  }

  void open(const YAML::Mark& mark, const std::string& tag, Node::Kind kind) {
    check_tag(mark, tag);
    if (wants_key()) refuse(mark, word_or_unclosed());
    if (frames_.size() >= kMostDepth) {
      refuse(mark, fmt::format("nested deeper than {} levels", kMostDepth));
    }
    Frame& frame = frames_.emplace_back();
    frame.node.kind = kind;
    frame.node.where = origin_.at(mark, text_);
  }

  void close() {
    Node node = std::move(frames_.back().node);
    frames_.pop_back();
    place(std::move(node));
  }

  void place(Node node) {
    if (frames_.empty()) {
      root = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.is_list()) {
      frame.node.items.push_back(std::move(node));
      return;
    }
    if (!frame.duplicate) {
      frame.node.entries.push_back({frame.key, frame.key_place, std::move(node)});
    }
    frame.key_open = false;
  }

  const Origin& origin_;
  std::string_view text_;
  std::vector<Problem>& problems_;
  std::vector<Frame> frames_;
};

// What the parser found, in the words of somebody who writes scenarios.
Problem explain(const YAML::ParserException& error, const TreeBuilder& builder,
                const Origin& origin, std::string_view text) {
  Problem problem{origin.at(error.mark, text), origin.path, "", ""};
  const std::string& said = error.msg;
  const bool map = said == YAML::ErrorMsg::END_OF_MAP_FLOW;
  if (map || said == YAML::ErrorMsg::END_OF_SEQ_FLOW) {
    if (builder.innermost() != nullptr) problem.where = *builder.innermost();
    problem.message = unclosed(text, map);
  } else if (said == YAML::ErrorMsg::EOF_IN_SCALAR) {
    problem.message = "a quote is not closed";
  } else if (said == YAML::ErrorMsg::MAP_VALUE) {
    const std::string_view line = text.substr(text.rfind('\n', position_in(error.mark, text)) + 1);
    const auto first = line.find(": ");
    problem.message = first < static_cast<std::size_t>(std::max(error.mark.column, 0))
                          ? "a second \": \" in one line; quote the value or begin a new line"
                          : "indented too far, or a colon is missing in the line above";
  } else if (said == YAML::ErrorMsg::END_OF_MAP || said == YAML::ErrorMsg::END_OF_SEQ) {
    problem.message = "this line is indented unlike its neighbours, or its colon is missing";
  } else if (said == YAML::ErrorMsg::FLOW_END) {
    problem.message = "this bracket closes nothing";
  } else if (said.find("anchor") != std::string::npos || said.find("alias") != std::string::npos) {
    problem.message = kNoAnchors;
  } else if (said == YAML::ErrorMsg::UNKNOWN_TOKEN) {
    problem.message = "a value cannot begin like this; put it in quotes";
  } else {
    problem.message = "not YAML: " + said;
  }
  return problem;
}

Node parse(std::string_view text, const Origin& origin, std::vector<Problem>& problems) {
  TreeBuilder builder(origin, text, problems);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused&) {
  } catch (const YAML::ParserException& error) {
    problems.push_back(explain(error, builder, origin, text));
  } catch (const std::exception& error) {
    problems.push_back({origin.start, origin.path, std::string("not YAML: ") + error.what(), ""});
  }
  return std::move(builder.root);
}

}  // namespace

Node parse_yaml(std::string_view text, const std::string& file, std::vector<Problem>& problems) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark says nothing
  std::vector<Problem> found = check_text(text, file);
  if (!found.empty()) {
    problems.insert(problems.end(), found.begin(), found.end());
    return {};
  }
  return parse(text, {{file, 1, 1}, ""}, problems);
}

Node parse_yaml_value(std::string_view text, const Location& where, const std::string& path,
                      std::vector<Problem>& problems) {
  std::vector<Problem> found = check_text(text, where.file);
  for (Problem& p : found) p.where = where, p.path = path;
  if (!found.empty()) {
    problems.insert(problems.end(), found.begin(), found.end());
    return {};
  }
  return parse(text, {where, path}, problems);
}

}  // namespace skiff
