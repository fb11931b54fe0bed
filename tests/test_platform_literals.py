"""Placeholders that were not filled in, and what only looks like one."""

from typing import Any

import pytest

from tools.platform.literals import in_config, in_deployment, in_preset


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('{"ingressDomain": "${DOMAIN}"}', ["key ingress: ${DOMAIN}"]),
        ('{"ingressDomain": "{{ .Values.domain }}"}', ["key ingress: {{ .Values.domain }}"]),
        ('{"ingressDomain": "REPLACE_ME"}', ["key ingress: REPLACE_ME"]),
        ('{"ingressDomain": "YOUR_DOMAIN"}', ["key ingress: YOUR_DOMAIN"]),
        ('{"domainTemplate": "{{ .Name }}-{{ .Namespace }}.{{ .IngressDomain }}"}', []),
        ('{"ingressDomain": "example.com"}', []),
    ],
)
def test_values_of_the_configuration(value: str, found: list[str]) -> None:
    assert in_config({"data": {"ingress": value, "_example": "${SAMPLE}"}}) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ .ObjectMeta.Name }}", []),
        ("{{ .Values.image }}", ["spec.a: {{ .Values.image }}"]),
        ("{{- include `x` . }}", ["spec.a: {{- include `x` . }}"]),
        ("image:${TAG}", ["spec.a: ${TAG}"]),
        ("exec vllm serve ${VLLM_ADDITIONAL_ARGS} $@", []),
        ("if true; then\n  echo ${X}\nfi", []),
    ],
)
def test_presets_are_templates_with_scripts(text: str, found: list[str]) -> None:
    assert in_preset({"spec": {"a": text}}) == found


@pytest.mark.parametrize(
    ("container", "found"),
    [
        ({"image": "a:${TAG}"}, ["container c: ${TAG}"]),
        ({"args": ["--ns=$(POD_NAMESPACE)"]}, ["container c: $(POD_NAMESPACE), a variable that it does not have"]),
        ({"args": ["--ns=$(POD_NAMESPACE)"], "env": [{"name": "POD_NAMESPACE"}]}, []),
        ({"args": ["--ns=$(FROM_ELSEWHERE)"], "envFrom": [{}]}, []),
        ({"command": ["/bin/sh", "-c"], "args": ["echo $(date) ${HOME}"]}, []),
        ({"env": [{"name": "A", "value": "{{ .Release.Name }}"}]}, ["container c: {{ .Release.Name }}"]),
        ({"args": ["$$(ESCAPED)"]}, []),
    ],
)
def test_deployments(container: dict[str, Any], found: list[str]) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"} | container]}}
    assert in_deployment({"spec": {"template": template}}) == found
