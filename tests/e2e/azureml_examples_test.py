"""Azure ML's public example pipelines: all are valid, those that need nothing of Azure run to Completed as they are, and the others are
refused by file and line. Wants a checkout of github.com/Azure/azureml-examples, named by POTOK_AZUREML_EXAMPLES; without one it is
skipped. R0 runs as it is; R1 wants ./outputs or several nodes; R2 wants neighbours registered or a file in a datastore first; R3 wants
an mlflow module, and the stand-in is one; R4 a staged file; R5 and R6 more packages, and run where those are installed; RX wants
services of Azure. POTOK_AZUREML_TIERS names the tiers to run."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from stack import StackTest

EXAMPLES = os.environ.get("POTOK_AZUREML_EXAMPLES", "")
TIERS_TO_RUN = os.environ.get("POTOK_AZUREML_TIERS", "R0 R1 R2 R3 R4").split()

# Where steps find their programs.
PLAIN = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
NYC_TAXI = "jobs/pipelines-with-components/pipeline_with_pipeline_component/nyc_taxi_data_regression_with_pipeline_component/"

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

# Pipelines that are components of others. They are registered; a job is made of them by a file above, if by any.
PIPELINE_COMPONENTS = [
    "assets/component/pipeline.yml",
    "endpoints/batch/deploy-pipelines/batch-scoring-with-preprocessing/pipeline.yml",
    NYC_TAXI + "data_pipeline/data_pipeline.yml",
    NYC_TAXI + "train_pipeline/train_pipeline.yml",
]

# What the README or script beside a pipeline does first: a folder, and calls of `potok` for `az ml` in it.
PREPARED = {
    "jobs/pipelines-with-components/basics/1b_e2e_registered_components": [
        "component create --file train.yml",
        "component create --file score.yml",
        "component create --file eval.yml",
    ],
    "endpoints/batch/deploy-pipelines/batch-scoring-with-preprocessing": [
        "environment create -f environment/xgboost-sklearn-py38.yml",
        "model create --name heart-classifier --type mlflow_model --path model",
        "model create --name heart-classifier-transforms --type custom_model --path transformations",
        "component create -f components/prepare/prepare.yml",
        "component create -f components/score/score.yml",
    ],
}

# What runs of R5 and R6 want of the machine: modules of Python that can be imported, or programs, and arguments of `job create`. Their
# models are pickles, which only the scikit-learn of their time can read.
WANTED = {
    "jobs/pipelines-with-components/basics/5c_env_conda_file/pipeline.yml": (["pyjokes"], []),
    "endpoints/batch/deploy-pipelines/batch-scoring-with-preprocessing/pipeline-job.yml": (
        ["pandas", "xgboost", "sklearn; assert sklearn.__version__.startswith('1.1.')"],
        ["--set", "inputs.input_data.path=data/unlabeled"],
    ),
    "jobs/parallel/2a_iris_batch_prediction/pipeline.yml": (["pandas", "sklearn.linear_model.logistic"], []),
    "jobs/pipelines/iris-batch-prediction-using-parallel/pipeline.yml": (["pandas", "sklearn.linear_model.logistic"], []),
    "jobs/pipelines-with-components/basics/6c_r_iris/pipeline.yml": (["Rscript"], []),
    "jobs/pipelines/cifar-10/pipeline.yml": (["torch", "torchvision"], []),
    "jobs/pipelines/tensorflow-image-segmentation/pipeline.yml": (["tensorflow"], []),
    "jobs/parallel/3a_mnist_batch_identification/pipeline.yml": (["tensorflow", "PIL", "idx2numpy"], []),
    "monitoring/azureml-e2e-model-monitoring/configurations/training_pipeline.yaml": (["sklearn", "mltable"], []),
}


def is_installed(wanted: str) -> bool:
    imported = subprocess.run(["python3", "-c", f"import {wanted}"], env=PLAIN, capture_output=True, check=False)
    return imported.returncode == 0 or shutil.which(wanted, path=PLAIN["PATH"]) is not None


@unittest.skipUnless(EXAMPLES, "POTOK_AZUREML_EXAMPLES names no checkout of azureml-examples")
class AzuremlExamplesTest(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for folder, calls in PREPARED.items():
            for call in calls:
                cls.stack.potok(*call.split(), cwd=pathlib.Path(EXAMPLES) / "cli" / folder)
        # Data of a workspace that examples name and do not bring along.
        hello = cls.stack.write("hello-world.txt", "hello\n")
        target = "azureml/4b_datastore_datapath_uri/hello-world.txt"
        cls.stack.potok("datastore", "upload", "-n", "workspaceblobstore", "-p", hello, "--target", target)
        cls.stack.potok("data", "create", "-n", "credit-default-reference", "-t", "uri_file", "-p", hello)

    def file(self, path: str) -> pathlib.Path:
        return pathlib.Path(EXAMPLES) / "cli" / path

    def test_all_are_valid(self):
        for tier, paths in PIPELINES.items():
            for path in paths:
                with self.subTest(tier=tier, path=path):
                    file = self.file(path)
                    result = self.stack.potok("job", "validate", "-f", str(file), check=False, cwd=file.parent)
                    self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_pipeline_components_are_registered(self):
        for path in PIPELINE_COMPONENTS:
            with self.subTest(path=path):
                created = self.stack.json("component", "create", "-f", str(self.file(path)))
                shown = self.stack.json("component", "show", "-n", created["name"], "-v", created["version"])
                self.assertEqual(shown["type"], "pipeline")

    def test_those_that_need_azure_are_refused_by_file_and_line(self):
        before = self.stack.json("job", "list")
        for path in PIPELINES["RX"]:
            with self.subTest(path=path):
                file = self.file(path)
                result = self.stack.potok("job", "create", "-f", str(file), check=False, cwd=file.parent)
                self.assertNotEqual(result.returncode, 0)
                refusals = re.findall(r"^\S+:\d+:\d+: error: .*which is not run here: .+$", result.stderr, re.M)
                self.assertTrue(refusals, result.stderr)
                self.assertEqual(self.stack.json("job", "list"), before)

    def test_those_that_need_nothing_run(self):
        for tier in TIERS_TO_RUN:
            for path in PIPELINES.get(tier, []):
                with self.subTest(tier=tier, path=path):
                    self.run_one(path)

    def test_those_that_need_packages_run_where_these_are(self):
        for path in PIPELINES["R5"] + PIPELINES["R6"]:
            wanted, arguments = WANTED[path]
            with self.subTest(path=path):
                missing = [name for name in wanted if not is_installed(name)]
                if missing:
                    self.skipTest(f"not installed: {', '.join(missing)}")
                self.run_one(path, *arguments)

    def run_one(self, path: str, *arguments: str):
        file = self.file(path)
        created = self.stack.potok(
            "job", "create", "-f", str(file), *arguments, "--query", "name", "-o", "tsv", cwd=file.parent, check=False
        )
        self.assertEqual(created.returncode, 0, created.stderr)
        name = created.stdout.strip()
        job = self.stack.wait(name, timeout=300)
        self.assertEqual(job["status"], "Completed", json.dumps(job.get("jobs"), indent=1)[:4000])


if __name__ == "__main__":
    unittest.main()
