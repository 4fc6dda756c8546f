// MLflow's API over a real PostgreSQL, as two steps and a person call it.
#include "server/tracking/mlflow_api.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/postgres/postgres_store.h"
#include "server/store/postgres/postgres_tracking.h"
#include "tests/support/temporary_postgres.h"

namespace potok::server {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

StepClaim AStep(const std::string& step, std::uint32_t index, std::uint32_t attempt = 1) {
  return {{7, index, attempt}, "calm_lake", step, "calm_lake_" + step, "prices"};
}

class MlflowApiTest : public testing::Test {
 protected:
  MlflowApiTest() {
    const std::string url = TemporaryPostgres::Shared().NewDatabase();
    auto opened = OpenPostgres(url);
    EXPECT_TRUE(opened.ok()) << opened.status();
    bundle_ = *std::move(opened);
    store_ = OpenTracking(url);
    writer_ = std::make_unique<TrackingWriter>(
        *store_, [this](const LoggedMetric& metric) { told_.push_back(metric); });
    api_ = std::make_unique<MlflowApi>(*store_, *writer_);
  }

  MlflowAnswer Call(const MlflowCaller& caller, const std::string& path, const Json& body) {
    return api_->Handle(caller, {"POST", path, {}, body.dump()});
  }
  Json Post(const std::string& path, const Json& body) {
    const MlflowAnswer answer = Call(train_, path, body);
    EXPECT_EQ(answer.status, 200) << path << " " << answer.json;
    return Json::parse(answer.json);
  }
  Json Get(const MlflowCaller& caller,
           const std::string& path,
           std::multimap<std::string, std::string> query,
           int status = 200) {
    const MlflowAnswer answer = api_->Handle(caller, {"GET", path, std::move(query), ""});
    EXPECT_EQ(answer.status, status) << path << " " << answer.json;
    return Json::parse(answer.json);
  }
  Json Run(const std::string& id) { return Get(train_, "/runs/get", {{"run_id", id}}).at("run"); }
  void ExpectRefused(const MlflowAnswer& answer, int status, const std::string& code) {
    EXPECT_EQ(answer.status, status) << answer.json;
    EXPECT_EQ(Json::parse(answer.json).at("error_code"), code) << answer.json;
  }
  static Json Metric(const std::string& key, const Json& value, int step = 0, int at = 1000) {
    return {{"key", key}, {"value", value}, {"timestamp", at}, {"step", step}};
  }

  StoreBundle bundle_;
  std::unique_ptr<TrackingStore> store_;
  std::vector<LoggedMetric> told_;
  std::unique_ptr<TrackingWriter> writer_;
  std::unique_ptr<MlflowApi> api_;
  const StepClaim train_ = AStep("train", 2);
  const StepClaim score_ = AStep("score", 3);
  const std::string id_ = "calm_lake_train";
};

TEST_F(MlflowApiTest, MakesTheRunOfAStepAtItsFirstCall) {
  const Json run = Run(id_);
  EXPECT_EQ(run["info"]["status"], "RUNNING");
  EXPECT_EQ(run["info"]["experiment_id"], "prices");
  EXPECT_EQ(run["info"]["artifact_uri"], "mlflow-artifacts:/7.2.1");
  EXPECT_EQ(Get(score_, "/runs/get", {{"run_id", "nobody"}}, 404)["error_code"],
            "RESOURCE_DOES_NOT_EXIST");
}

TEST_F(MlflowApiTest, ShowsTheMetricOfTheHighestStep) {
  Post("/runs/log-metric", {{"run_id", id_}, {"key", "loss"}, {"value", 3}, {"timestamp", "1"}});
  Post("/runs/log-batch",
       {{"run_id", id_},
        {"metrics", {Metric("loss", 1.5, 7), Metric("loss", 2.5, 4), Metric("auc", "NaN")}}});
  const Json metrics = Run(id_)["data"]["metrics"];
  ASSERT_EQ(metrics.size(), 2u);
  EXPECT_EQ(metrics[0]["value"], "NaN");
  EXPECT_EQ(metrics[1]["value"], 1.5);
  EXPECT_EQ(metrics[1]["step"], 7);
  const Json history =
      Get(score_, "/metrics/get-history", {{"run_id", id_}, {"metric_key", "loss"}})["metrics"];
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[0]["value"], 3.0);
  EXPECT_EQ(history[2]["value"], 1.5);
}

TEST_F(MlflowApiTest, GivesAHistoryInPages) {
  for (int i = 0; i < 5; ++i) {
    Post("/runs/log-batch", {{"run_id", id_}, {"metrics", {Metric("loss", i, i)}}});
  }
  Json page = Get(train_,
                  "/metrics/get-history",
                  {{"run_id", id_}, {"metric_key", "loss"}, {"max_results", "3"}});
  EXPECT_EQ(page["metrics"].size(), 3u);
  page = Get(train_,
             "/metrics/get-history",
             {{"run_id", id_},
              {"metric_key", "loss"},
              {"max_results", "3"},
              {"page_token", page["next_page_token"]}});
  EXPECT_EQ(page["metrics"].size(), 2u);
  EXPECT_FALSE(page.contains("next_page_token"));
}

TEST_F(MlflowApiTest, CountsACallThatIsSentTwiceOnce) {
  for (int i = 0; i < 2; ++i) {
    Post("/runs/log-batch", {{"run_id", id_}, {"metrics", {Metric("loss", "Infinity", 1)}}});
  }
  const auto runs = store_->OfRun(7);
  ASSERT_TRUE(runs.ok()) << runs.status();
  EXPECT_EQ((*runs)[0].metrics[0].count, 1);
  EXPECT_TRUE(std::isinf((*runs)[0].metrics[0].max));
}

TEST_F(MlflowApiTest, RefusesAnotherValueOfAParameterAndAllThatCameWithIt) {
  Post("/runs/log-parameter", {{"run_id", id_}, {"key", "lr"}, {"value", "0.1"}});
  Post("/runs/log-parameter", {{"run_id", id_}, {"key", "lr"}, {"value", "0.1"}});
  const MlflowAnswer answer = Call(train_,
                                   "/runs/log-batch",
                                   {{"run_id", id_},
                                    {"metrics", {Metric("loss", 1)}},
                                    {"params", {{{"key", "lr"}, {"value", "0.2"}}}}});
  ExpectRefused(answer, 400, "INVALID_PARAMETER_VALUE");
  EXPECT_THAT(answer.json, HasSubstr("already logged with value='0.1'"));
  EXPECT_TRUE(Run(id_)["data"]["metrics"].empty());
}

TEST_F(MlflowApiTest, KeepsTheLastWordOnATag) {
  Post("/runs/set-tag", {{"run_id", id_}, {"key", "kind"}, {"value", "a"}});
  Post("/runs/set-tag", {{"run_id", id_}, {"key", "kind"}, {"value", "\xc5\xbc\xc3\xb3\xc5\x82w"}});
  EXPECT_EQ(Run(id_)["data"]["tags"][0]["value"], "\xc5\xbc\xc3\xb3\xc5\x82w");
  Post("/runs/delete-tag", {{"run_id", id_}, {"key", "kind"}});
  EXPECT_TRUE(Run(id_)["data"]["tags"].empty());
  ExpectRefused(Call(train_, "/runs/delete-tag", {{"run_id", id_}, {"key", "kind"}}),
                404,
                "RESOURCE_DOES_NOT_EXIST");
}

TEST_F(MlflowApiTest, LetsAStepWriteToNoOthersRun) {
  Run(id_);
  const Json body = {{"run_id", id_}, {"key", "x"}, {"value", 1}, {"timestamp", 1}};
  ExpectRefused(Call(score_, "/runs/log-metric", body), 403, "PERMISSION_DENIED");
  ExpectRefused(Call(score_, "/runs/update", {{"run_id", id_}}), 403, "PERMISSION_DENIED");
  ExpectRefused(Call({}, "/runs/log-metric", body), 403, "PERMISSION_DENIED");
  const std::string child =
      Post("/runs/create", {{"experiment_id", "prices"}})["run"]["info"]["run_id"];
  ExpectRefused(
      Call(score_, "/runs/set-tag", {{"run_id", child}, {"key", "a"}}), 403, "PERMISSION_DENIED");
  Post("/runs/set-tag", {{"run_id", child}, {"key", "a"}, {"value", "b"}});
  // Reading is free.
  EXPECT_EQ(Get(score_, "/runs/get", {{"run_id", child}})["run"]["data"]["tags"].size(), 2u);
  EXPECT_EQ(Get({}, "/runs/get", {{"run_id", id_}})["run"]["data"]["metrics"].size(), 0u);
}

TEST_F(MlflowApiTest, BeginsAnewWithEachAttempt) {
  Post("/runs/log-metric", {{"run_id", id_}, {"key", "loss"}, {"value", 3}, {"timestamp", 1}});
  const StepClaim again = AStep("train", 2, 2);
  EXPECT_TRUE(Get(again, "/runs/get", {{"run_id", id_}})["run"]["data"]["metrics"].empty());
  EXPECT_TRUE(Get(score_, "/runs/get", {{"run_id", id_}})["run"]["data"]["metrics"].empty());
  // The first, late, still writes to its own.
  Post("/runs/log-metric", {{"run_id", id_}, {"key", "loss"}, {"value", 2}, {"timestamp", 2}});
  EXPECT_EQ(Get(again, "/runs/get", {{"run_id", id_}})["run"]["data"]["metrics"].size(), 0u);
  EXPECT_EQ(Run(id_)["data"]["metrics"].size(), 1u);
}

TEST_F(MlflowApiTest, EndsAndReopensRuns) {
  Json info = Post("/runs/update", {{"run_id", id_}, {"status", "FINISHED"}, {"end_time", 5}});
  EXPECT_EQ(info["run_info"]["status"], "FINISHED");
  EXPECT_EQ(info["run_info"]["end_time"], 5);
  info = Post("/runs/update", {{"run_id", id_}, {"status", "RUNNING"}, {"run_name", "mine"}});
  EXPECT_FALSE(info["run_info"].contains("end_time"));
  EXPECT_EQ(info["run_info"]["run_name"], "mine");
  ExpectRefused(Call(train_, "/runs/update", {{"run_id", id_}, {"status", "DONE"}}),
                400,
                "INVALID_PARAMETER_VALUE");
  ExpectRefused(Call(train_, "/runs/delete", {{"run_id", id_}}), 400, "INVALID_PARAMETER_VALUE");
}

TEST_F(MlflowApiTest, SearchesByMetricsParametersTagsAndAttributes) {
  const auto make = [&](const std::string& name, double rmse, const std::string& kind) {
    const std::string id =
        Post("/runs/create",
             {{"experiment_id", "prices"},
              {"run_name", name},
              {"start_time", 1},
              {"tags", {{{"key", "kind"}, {"value", kind}}}}})["run"]["info"]["run_id"];
    Post("/runs/log-metric", {{"run_id", id}, {"key", "rmse"}, {"value", rmse}, {"timestamp", 1}});
    Post("/runs/log-parameter", {{"run_id", id}, {"key", "p"}, {"value", name + "'s"}});
  };
  make("a", 1, "tree");
  make("b", 2, "linear");
  make("c", 3, "tree");
  const auto found = [&](const std::string& filter, const std::string& order) {
    std::string names;
    Json request = {{"experiment_ids", {"prices"}}, {"filter", filter}};
    if (!order.empty()) request["order_by"] = {order};
    // Named, as a range of a temporary's member would outlive the temporary.
    const Json answer = Post("/runs/search", request);
    for (const Json& run : answer.at("runs")) {
      names += run["info"]["run_name"].get<std::string>();
    }
    return names;
  };
  EXPECT_EQ(found("metrics.rmse > 1", "metrics.rmse DESC"), "cb");
  EXPECT_EQ(found("tags.kind = 'tree'", "metrics.rmse ASC"), "ac");
  EXPECT_EQ(found("tags.kind LIKE 'lin%' and attributes.run_name IN ('b', 'c')", ""), "b");
  EXPECT_EQ(found("params.p = \"a's\"", ""), "a");
  EXPECT_EQ(found("status = 'RUNNING' and metrics.rmse < 2", ""), "a");
  EXPECT_EQ(found("params.p = 'x; DROP TABLE params'", ""), "");
  ExpectRefused(Call(train_, "/runs/search", {{"experiment_ids", {"prices"}}, {"filter", "x y"}}),
                400,
                "INVALID_PARAMETER_VALUE");
  EXPECT_TRUE(Post("/runs/search", {{"experiment_ids", {"others"}}})["runs"].empty());
}

TEST_F(MlflowApiTest, GivesASearchInPagesAndHidesWhatIsDeleted) {
  std::string id;
  for (int i = 0; i < 3; ++i) {
    id = Post("/runs/create", {{"experiment_id", "prices"}})["run"]["info"]["run_id"];
  }
  Json page = Post("/runs/search", {{"experiment_ids", {"prices"}}, {"max_results", 2}});
  EXPECT_EQ(page["runs"].size(), 2u);
  page = Post("/runs/search",
              {{"experiment_ids", {"prices"}},
               {"max_results", 2},
               {"page_token", page["next_page_token"]}});
  EXPECT_EQ(page["runs"].size(), 1u);
  EXPECT_FALSE(page.contains("next_page_token"));
  Post("/runs/delete", {{"run_id", id}});
  EXPECT_EQ(Post("/runs/search", {{"experiment_ids", {"prices"}}})["runs"].size(), 2u);
  EXPECT_EQ(Run(id)["info"]["lifecycle_stage"], "deleted");
}

TEST_F(MlflowApiTest, HasExperimentsByTheirNames) {
  EXPECT_EQ(Get(train_, "/experiments/get", {{"experiment_id", "prices"}})["experiment"]["name"],
            "prices");
  EXPECT_EQ(
      Get(train_, "/experiments/get-by-name", {{"experiment_name", "mine"}}, 404)["error_code"],
      "RESOURCE_DOES_NOT_EXIST");
  EXPECT_EQ(Post("/experiments/create", {{"name", "mine"}})["experiment_id"], "mine");
  ExpectRefused(
      Call(train_, "/experiments/create", {{"name", "mine"}}), 400, "RESOURCE_ALREADY_EXISTS");
  EXPECT_EQ(Get({},
                "/experiments/get-by-name",
                {{"experiment_name", "mine"}})["experiment"]["experiment_id"],
            "mine");
  EXPECT_EQ(Post("/experiments/search", Json::object())["experiments"].size(), 2u);
}

TEST_F(MlflowApiTest, KeepsModelsAndWhatRunsSayOfThem) {
  const Json made =
      Post("/logged-models", {{"name", "net"}, {"source_run_id", id_}, {"experiment_id", "0"}});
  const std::string model = made["model"]["info"]["model_id"];
  EXPECT_EQ(made["model"]["info"]["experiment_id"], "prices");
  Post("/logged-models/" + model + "/params", {{"params", {{{"key", "a"}, {"value", "1"}}}}});
  const MlflowRequest ready{
      "PATCH", "/logged-models/" + model, {}, R"({"status": "LOGGED_MODEL_READY"})"};
  EXPECT_EQ(api_->Handle(train_, ready).status, 200);
  EXPECT_EQ(api_->Handle(score_, ready).status, 403);
  const Json read = Get(score_, "/logged-models/" + model, {})["model"];
  EXPECT_EQ(read["info"]["status"], "LOGGED_MODEL_READY");
  EXPECT_EQ(read["data"]["params"][0]["key"], "a");
  Post("/runs/outputs", {{"run_id", id_}, {"models", {{{"model_id", model}, {"step", 0}}}}});
  EXPECT_EQ(Run(id_)["outputs"]["model_outputs"][0]["model_id"], model);
  EXPECT_TRUE(Run(id_)["data"]["tags"].empty());
  Post("/runs/log-model", {{"run_id", id_}, {"model_json", R"({"artifact_path": "m"})"}});
  EXPECT_THAT(Run(id_)["data"]["tags"][0]["value"].get<std::string>(), HasSubstr("artifact_path"));
}

TEST_F(MlflowApiTest, RefusesWhatIsWrongAndKeepsNothingOfIt) {
  const auto refuse = [&](const std::string& path, const std::string& body) {
    const MlflowAnswer answer = api_->Handle(train_, {"POST", path, {}, body});
    EXPECT_EQ(answer.status, 400) << body.substr(0, 200) << " " << answer.json;
    EXPECT_EQ(Json::parse(answer.json)["error_code"], "INVALID_PARAMETER_VALUE") << answer.json;
  };
  const std::string run = R"({"run_id": "calm_lake_train", )";
  refuse("/runs/log-metric", "");
  refuse("/runs/log-metric", "[]");
  refuse("/runs/log-metric", "{\"run_id\": \"\xff\"}");
  refuse("/runs/log-metric", std::string(100000, '['));
  refuse("/runs/log-metric", run + R"("key": "a", "timestamp": 1})");
  refuse("/runs/log-metric", run + R"("key": "a", "value": "high", "timestamp": 1})");
  refuse("/runs/log-metric", run + R"("key": "a", "value": 1})");
  refuse("/runs/log-metric", run + R"("key": "a", "value": 1, "timestamp": -1})");
  refuse("/runs/log-metric", run + R"("key": "a", "value": 1, "timestamp": 1e30})");
  refuse("/runs/log-metric",
         run + R"("key": "a", "value": 1, "timestamp": 1, "step": 99999999999999999999})");
  for (const std::string key : {"", "../up", "/a", "a//b", "a;b", "a\\u0000b"}) {
    refuse("/runs/log-metric",
           run + fmt::format(R"("key": "{}", "value": 1, "timestamp": 1}})", key));
  }
  refuse("/runs/log-parameter",
         run + fmt::format(R"("key": "{}", "value": "x"}})", std::string(251, 'k')));
  refuse("/runs/log-batch", run + R"("metrics": 5})");
  refuse("/runs/log-batch", run + R"("metrics": [5]})");
  refuse("/runs/log-batch",
         run + R"("params": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]})");
  Json many = {{"run_id", id_}, {"metrics", Json::array()}};
  for (int i = 0; i < 1001; ++i) many["metrics"].push_back(Metric("m", i, i));
  refuse("/runs/log-batch", many.dump());
  const Json data = Run(id_)["data"];
  EXPECT_TRUE(data["metrics"].empty() && data["params"].empty()) << data;
  ExpectRefused(Call(train_, "/runs/nothing", Json::object()), 404, "ENDPOINT_NOT_FOUND");
}

TEST_F(MlflowApiTest, CutsLongTextsBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 7000; ++i) text += "\xc5\xbc";
  Post("/runs/log-parameter", {{"run_id", id_}, {"key", "p"}, {"value", text}});
  EXPECT_EQ(Run(id_)["data"]["params"][0]["value"].get<std::string>().size(), 12000u);
}

TEST_F(MlflowApiTest, TellsWhoeverWaitsForAMetricWithItsCount) {
  Post("/runs/log-metric", {{"run_id", id_}, {"key", "loss"}, {"value", 3}, {"timestamp", 1}});
  writer_->Want({7, 2}, "loss");
  Post("/runs/log-batch",
       {{"run_id", id_},
        {"metrics", {Metric("loss", 2, 1), Metric("other", 1), Metric("loss", 1, 2)}}});
  writer_->Stop();
  ASSERT_EQ(told_.size(), 3u);
  for (std::size_t i = 0; i < told_.size(); ++i) {
    EXPECT_EQ(told_[i].count, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(told_[i].value, 3.0 - static_cast<double>(i));
  }
}

}  // namespace
}  // namespace potok::server
