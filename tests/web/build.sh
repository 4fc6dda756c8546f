#!/usr/bin/env bash
# Makes the TypeScript tests ready to run: their npm packages, the client generated from the protos, the JavaScript.
#
#   build.sh SOURCE FOLDER     SOURCE is the project's root; all that is made goes to FOLDER
set -euo pipefail
source_folder=$1
folder=$2

mkdir -p "$folder"
cd "$folder"
cp "$source_folder"/tests/web/{package.json,package-lock.json,tsconfig.json,*.ts} .
# Only when the packages have changed: this is what takes time, and the network.
if ! cmp -s package-lock.json packages-of; then
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json packages-of
fi
rm -rf gen made
mkdir gen
protoc -I"$source_folder/proto" --plugin=node_modules/.bin/protoc-gen-es --es_out=gen --es_opt=target=ts,import_extension=js \
  potok/v1/{common,usage,pipeline,exec,runs,machines,admin}.proto
node_modules/.bin/tsc
