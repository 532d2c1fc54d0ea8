"""Times Zuul's own configuration loader on a directory of files.

Usage: zuul_load.py FILES.json ROUNDS, where the file is a list of {project, branch, path, text, trusted}.
Prints one JSON document: {"seconds": [...], "jobs": N, "errors": N}.
"""

import json
import logging
import sys
import time
import types

from zuul import configloader, model

logging.disable(logging.CRITICAL)


class Source:
    """The little that the loader asks of a code review system."""

    connection = types.SimpleNamespace(connection_name="gerrit")
    canonical_hostname = "example.org"

    def getProjectDefaultMergeMode(self, project, valid_modes=None):
        return "merge"

    def getProjectDefaultBranch(self, project, tenant, min_ltime=-1):
        return "master"


def build_tenant(files):
    tenant = model.Tenant("bench")
    tenant.default_base_job = "base"
    tenant.allowed_triggers = tenant.allowed_reporters = None
    tenant.allowed_labels = tenant.disallowed_labels = None
    tenant.use_nodepool = True
    source = Source()
    for name, trusted in {f["project"]: f["trusted"] for f in files}.items():
        config = model.TenantProjectConfig(model.Project(name, source))
        config.load_classes = frozenset(configloader.TenantParser.all_classes)
        config.branches = ["master"]
        config.trusted = trusted
        tenant.addTPC(config)
    return tenant


def load(files):
    tenant = build_tenant(files)
    connections = types.SimpleNamespace(connections={})
    context = configloader.ParseContext(connections, None, None, None)
    parser = configloader.TenantParser(connections, None, None, None, None, None, None, None)
    parser.createManager = lambda context, pipeline, tenant: types.SimpleNamespace(
        pipeline=pipeline
    )
    config = model.ParsedConfig()
    for file in files:
        project = tenant.getProject(file["project"])[1]
        where = model.SourceContext(
            project.canonical_name, project.name, "gerrit", file["branch"], file["path"]
        )
        parsed = parser.loadProjectYAML(file["text"], where, context)
        tpc = tenant.getTPC(project.canonical_name)
        parser.addProjectBranchConfig(context, config, tenant, tpc, parsed, trusted=tpc.trusted)
    layout = model.Layout(tenant)
    parser._addLayoutItems(layout, tenant, config, context)
    return layout, context


def main():
    with open(sys.argv[1]) as handle:
        files = json.load(handle)
    seconds = []
    for _ in range(int(sys.argv[2])):
        start = time.perf_counter()
        layout, context = load(files)
        seconds.append(time.perf_counter() - start)
    errors = [e.short_error for e in layout.loading_errors.errors]
    errors += [e.short_error for e in context.error_list]
    print(json.dumps({"seconds": seconds, "jobs": len(layout.jobs), "errors": len(errors), "first": errors[:1]}))


main()
