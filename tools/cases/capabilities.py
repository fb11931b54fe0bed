"""What a run may do besides reading: the requirements of that kind, and which fixtures imply which.

A case that uses a fixture named here needs what stands beside it, without saying so again.
"""

from tools.cases.requirement import may
from tools.kube import rights

TRAFFIC = may("send HTTP requests to the service")
FORWARD = may(rights.FORWARD)
THROUGH = may(rights.THROUGH)
THROUGH_ISTIO = may(rights.THROUGH_ISTIO)
NODES = may(rights.NODES)
CONTROLLERS = may(rights.FEATURES)
READS_POLICIES = may(rights.POLICIES)
READS_AUTHORIZATIONS = may(rights.AUTHORIZATIONS)
READS_ISOLATION = may(rights.ISOLATION)
MESH_POLICIES = may(rights.MESH_POLICIES)
REVIEWS = may(rights.REVIEWS)
READS_SECRETS = may(rights.SECRETS)
READS_ROUTES = may(rights.ROUTES)
READS_LOGS = may(rights.LOGS)
READS_STORAGE = may(rights.STORAGE)
ISTIOD = may(rights.ISTIOD)
PROMETHEUS = may(rights.PROMETHEUS)
ACCOUNTS = may(rights.ACCOUNTS)
BESIDE = may(rights.BESIDE)
CHILDREN = may(rights.CHILDREN)
PICKER_METRICS = may(rights.PICKER_METRICS)
PLATFORM = may(rights.PLATFORM)
PLATFORM_SECRETS = may(rights.PLATFORM_SECRETS)
DRY_RUN = may(rights.DRY_RUN)
EXCLUSIVE = may("have the service to itself")
DEPLOY = may("deploy the service")
DISRUPT_SERVICE = may("disturb the service")
DISRUPT_CLUSTER = may("disturb the cluster")

ALL = (
    TRAFFIC,
    FORWARD,
    THROUGH,
    THROUGH_ISTIO,
    NODES,
    CONTROLLERS,
    READS_POLICIES,
    READS_AUTHORIZATIONS,
    READS_ISOLATION,
    MESH_POLICIES,
    REVIEWS,
    READS_SECRETS,
    READS_ROUTES,
    READS_LOGS,
    READS_STORAGE,
    ISTIOD,
    PROMETHEUS,
    ACCOUNTS,
    BESIDE,
    CHILDREN,
    PICKER_METRICS,
    PLATFORM,
    PLATFORM_SECRETS,
    DRY_RUN,
    EXCLUSIVE,
    DEPLOY,
    DISRUPT_SERVICE,
    DISRUPT_CLUSTER,
)

BY_FIXTURE = {
    "client": TRAFFIC,
    "root_client": TRAFFIC,
    "front": TRAFFIC,
    "tls_client": TRAFFIC,
    "metrics_token": PICKER_METRICS,
    "platform": CONTROLLERS,
    "prometheus": PROMETHEUS,
    "throwaway": DEPLOY,
    "reach": DEPLOY,
    "enforcing": DEPLOY,
    "beside": BESIDE,
}
