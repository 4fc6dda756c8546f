#include "server/artifacts/datastore_uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace potok::server {
namespace {

using testing::ElementsAre;

TEST(DatastoreUriTest, ReadsTheShortAndTheLongForm) {
  for (const char* uri :
       {"azureml://datastores/store_1/paths/a/b c/d.csv",
        "azureml://datastores/store_1/paths/a/b c/d.csv/",
        "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/store_1/paths/a/b "
        "c/d.csv",
        "azureml://subscriptions/s/resourceGroups/g/workspaces/w/datastores/store_1/paths/a/b "
        "c/d.csv",
        "azureml://subscriptions/s/resourcegroups/g/providers/Microsoft.MachineLearningServices/"
        "workspaces/w/datastores/store_1/paths/a/b c/d.csv"}) {
    const auto place = ParseDatastoreUri(uri);
    ASSERT_TRUE(place.ok()) << place.status();
    EXPECT_EQ(place->datastore, "store_1");
    EXPECT_THAT(place->parts, ElementsAre("a", "b c", "d.csv"));
  }
}

TEST(DatastoreUriTest, RefusesWhatNamesNoPlaceOrLeavesIt) {
  for (const std::string& uri : {std::string(),
                                 std::string("azureml:"),
                                 std::string("azureml://"),
                                 std::string("http://datastores/s/paths/x"),
                                 std::string("azureml://datastores/s"),
                                 std::string("azureml://datastores/s/paths"),
                                 std::string("azureml://datastores/s/paths/"),
                                 std::string("azureml://datastores//paths/x"),
                                 std::string("azureml://datastores/../paths/x"),
                                 std::string("azureml://datastores/a.b/paths/x"),
                                 std::string("azureml://datastores/s/path/x"),
                                 std::string("azureml://datastores/s/paths/../x"),
                                 std::string("azureml://datastores/s/paths/a/../../x"),
                                 std::string("azureml://datastores/s/paths/a/.."),
                                 std::string("azureml://datastores/s/paths/./x"),
                                 std::string("azureml://datastores/s/paths//etc/passwd"),
                                 std::string("azureml://datastores/s/paths/a//b"),
                                 std::string("azureml://datastores/s/paths/a") + std::string(1, 0),
                                 std::string("azureml://datastores/s/paths/\xFF"),
                                 std::string("azureml://datastores/s/paths/.potok-x/y"),
                                 std::string("azureml://subscriptions/s/datastores/s/paths/x"),
                                 std::string("azureml://jobs/j/outputs/o/paths/x")}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseDatastoreUri(uri).status())) << uri;
  }
}

}  // namespace
}  // namespace potok::server
