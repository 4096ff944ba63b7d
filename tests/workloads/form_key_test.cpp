// The arm key `api`, which every loop takes.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "harness/sut/messages.hpp"

namespace loopbench {
namespace {

nlohmann::json form_of(const std::string& workload, const std::string& listen,
                       std::map<std::string, std::string> keys) {
    const SetupRequest request{workload, std::move(keys), 1, listen};
    const nlohmann::json setup{{"params", {{"api", "push"}, {"size", 64}}}};
    const nlohmann::json params = parse_params(setup, request);
    EXPECT_EQ(params["size"], 64);
    return params["api"];
}

TEST(FormKey, TakesThePlaceOfTheFormThatTheCaseAsksFor) {
    EXPECT_EQ(form_of("echo", "127.0.0.1:0", {}), "push");
    EXPECT_EQ(form_of("echo", "127.0.0.1:0", {{"api", "case"}}), "push");
    EXPECT_EQ(form_of("echo", "127.0.0.1:0", {{"api", "task"}}), "task");
    EXPECT_EQ(form_of("echo", "127.0.0.1:0", {{"ring", "plain"}}), "push");
}

TEST(FormKey, HasNoPlaceWithoutSockets) {
    EXPECT_EQ(form_of("pingpong", "", {{"api", "task"}}), "push");
    EXPECT_EQ(parse_params(nlohmann::json::object(), {"pingpong", {{"api", "task"}}, 1, ""}),
              nlohmann::json::object());
}

}  // namespace
}  // namespace loopbench
