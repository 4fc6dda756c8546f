"""Azure ML's public example pipelines: all are valid, those that need nothing of Azure run to Completed as they are, and the others are
refused by file and line. Wants a checkout of github.com/Azure/azureml-examples, named by POTOK_AZUREML_EXAMPLES; without one it is
skipped. R0 runs as it is; R1 wants ./outputs or several nodes; R2 wants neighbours registered or a file in a datastore first; R3 wants
an mlflow module; R4 to R6 more packages or data; RX wants services of Azure. POTOK_AZUREML_TIERS names the tiers to run."""

import json
import os
import pathlib
import re
import unittest

from stack import StackTest

EXAMPLES = os.environ.get("POTOK_AZUREML_EXAMPLES", "")
TIERS_TO_RUN = os.environ.get("POTOK_AZUREML_TIERS", "R0 R1 R2").split()

# Under cli/.
PIPELINES = {
    "R0": [
        "jobs/basics/hello-pipeline-abc-serverless.yml",
        "jobs/basics/hello-pipeline-abc.yml",
        "jobs/basics/hello-pipeline-customize-output-file-serverless.yml",
        "jobs/basics/hello-pipeline-customize-output-file.yml",
        "jobs/basics/hello-pipeline-io-serverless.yml",
        "jobs/basics/hello-pipeline-io.yml",
        "jobs/basics/hello-pipeline-serverless.yml",
        "jobs/basics/hello-pipeline.yml",
        "schedules/simple-pipeline-job.yml",
        "jobs/pipelines-with-components/basics/1a_e2e_local_components/pipeline.yml",
        "jobs/pipelines-with-components/basics/2a_basic_component/pipeline.yml",
        "jobs/pipelines-with-components/basics/3a_basic_pipeline/pipeline.yml",
        "jobs/pipelines-with-components/basics/3b_pipeline_with_data/pipeline.yml",
        "jobs/pipelines-with-components/basics/5a_env_public_docker_image/pipeline.yml",
        "jobs/pipelines/nyc-taxi/pipeline.yml",
    ],
    "R1": [
        "jobs/pipelines-with-components/basics/6b_pytorch_hello_world/pipeline.yml",
    ],
    "R2": [
        "jobs/pipelines-with-components/basics/1b_e2e_registered_components/pipeline-serverless.yml",
        "jobs/pipelines-with-components/basics/1b_e2e_registered_components/pipeline.yml",
        "jobs/pipelines-with-components/basics/4b_datastore_datapath_uri/pipeline.yml",
    ],
    "R3": [
        "jobs/pipelines-with-components/nyc_taxi_data_regression/single-job-pipeline.yml",
        "jobs/pipelines-with-components/pipeline_with_pipeline_component/nyc_taxi_data_regression_with_pipeline_component/pipeline.yml",
    ],
    "R5": [
        "jobs/pipelines-with-components/basics/5c_env_conda_file/pipeline.yml",
        "endpoints/batch/deploy-pipelines/batch-scoring-with-preprocessing/pipeline-job.yml",
        "jobs/parallel/2a_iris_batch_prediction/pipeline.yml",
        "jobs/pipelines/iris-batch-prediction-using-parallel/pipeline.yml",
    ],
    "R6": [
        "jobs/parallel/3a_mnist_batch_identification/pipeline.yml",
        "jobs/pipelines-with-components/basics/6c_r_iris/pipeline.yml",
        "jobs/pipelines/cifar-10/pipeline.yml",
        "jobs/pipelines/tensorflow-image-segmentation/pipeline.yml",
        "monitoring/azureml-e2e-model-monitoring/configurations/training_pipeline.yaml",
    ],
    "RX": [
        "jobs/pipelines/add-column-and-word-count-using-spark/pipeline.yml",
        "jobs/spark/attached-spark-pipeline-default-identity.yml",
        "jobs/spark/attached-spark-pipeline-user-identity.yml",
        "jobs/spark/serverless-spark-pipeline-default-identity.yml",
        "jobs/spark/serverless-spark-pipeline-user-identity.yml",
        "jobs/pipelines/automl/cli-aml-demand-forecast-pipeline/cli-aml-demand-forecast-hts/hts_evaluation_pipeline.yml",
        "jobs/pipelines/automl/cli-automl-classification-task-bankmarketing-pipeline/pipeline.yml",
        "jobs/pipelines/automl/cli-automl-regression-housepricing-pipeline/pipeline.yml",
        "jobs/pipelines/automl/cli-automl-text-classification-newsgroup-pipeline/pipeline.yml",
        "jobs/pipelines/automl/demand-forecast-pipeline/pipeline.yml",
        "jobs/pipelines/automl/image-multiclass-classification-fridge-items-pipeline/pipeline.yml",
        "jobs/pipelines/automl/image-object-detection-task-fridge-items-pipeline/pipeline.yml",
        "foundation-models/azure_openai/oai-v1/openai_completions_finetune/openai_completions_finetune_spec.yaml",
        "foundation-models/system/evaluation/chat-completion/chat-completion-pipeline.yml",
        "foundation-models/system/evaluation/fill-mask/fill-mask-pipeline.yml",
        "foundation-models/system/evaluation/question-answering/extractive-qa-pipeline.yml",
        "foundation-models/system/evaluation/text-classification/entailment-contradiction-pipeline.yml",
        "foundation-models/system/evaluation/text-generation/text-generation-pipeline.yml",
        "foundation-models/system/finetune/image-classification/multiclass-classification/hftransformers-fridgeobjects-multiclass-classification-pipeline.yaml",
        "foundation-models/system/finetune/image-object-detection/mmdetection-fridgeobjects-detection-pipeline.yaml",
        "foundation-models/system/finetune/question-answering/extractive-qa-pipeline.yml",
        "foundation-models/system/finetune/summarization/news-summary-pipeline.yml",
        "foundation-models/system/finetune/text-classification/emotion-detection-pipeline.yml",
        "foundation-models/system/finetune/token-classification/token-classification-pipeline.yml",
        "foundation-models/system/finetune/translation/translation-pipeline.yml",
        "responsible-ai/cli-responsibleaidashboard-housing-classification/cli-responsibleaidashboard-housing-classification.yml",
    ],
}

# What stands beside a pipeline and has to be registered before it: (kind, file).
REGISTERED_FIRST = {
    "jobs/pipelines-with-components/basics/1b_e2e_registered_components/": [
        ("component", "train.yml"),
        ("component", "score.yml"),
        ("component", "eval.yml"),
    ],
}


@unittest.skipUnless(EXAMPLES, "POTOK_AZUREML_EXAMPLES names no checkout of azureml-examples")
class AzuremlExamplesTest(StackTest):
    def file(self, path: str) -> pathlib.Path:
        return pathlib.Path(EXAMPLES) / "cli" / path

    def test_all_are_valid(self):
        for tier, paths in PIPELINES.items():
            for path in paths:
                with self.subTest(tier=tier, path=path):
                    file = self.file(path)
                    result = self.stack.potok("job", "validate", "-f", str(file), check=False, cwd=file.parent)
                    self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_those_that_need_azure_are_refused_by_file_and_line(self):
        for path in PIPELINES["RX"]:
            with self.subTest(path=path):
                file = self.file(path)
                result = self.stack.potok("job", "create", "-f", str(file), check=False, cwd=file.parent)
                self.assertNotEqual(result.returncode, 0)
                refusals = re.findall(r"^\S+:\d+:\d+: error: .*which is not run here: .+$", result.stderr, re.M)
                self.assertTrue(refusals, result.stderr)
                self.assertEqual(json.loads(self.stack.potok("job", "list", "-o", "json").stdout), [])

    def test_those_that_need_nothing_run(self):
        for folder, assets in REGISTERED_FIRST.items():
            if "R2" in TIERS_TO_RUN:
                for kind, name in assets:
                    self.stack.potok(kind, "create", "-f", str(self.file(folder + name)))
        for tier in TIERS_TO_RUN:
            for path in PIPELINES[tier]:
                with self.subTest(tier=tier, path=path):
                    self.run_one(self.file(path))

    def run_one(self, file: pathlib.Path):
        created = self.stack.potok(
            "job", "create", "-f", str(file), "--query", "name", "-o", "tsv", cwd=file.parent, check=False
        )
        self.assertEqual(created.returncode, 0, created.stderr)
        name = created.stdout.strip()
        job = self.stack.wait(name, timeout=300)
        self.assertEqual(job["status"], "Completed", json.dumps(job.get("jobs"), indent=1)[:4000])


if __name__ == "__main__":
    unittest.main()
