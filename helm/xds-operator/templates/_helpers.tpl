{{- define "xds-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 47 | trimSuffix "-" }}
{{- end }}

{{- /* At most 47 characters, so that there is room for the longest suffix in a label's 63. */ -}}
{{- define "xds-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 47 | trimSuffix "-" }}
{{- else if contains (include "xds-operator.name" .) .Release.Name }}
{{- .Release.Name | trunc 47 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "xds-operator.name" .) | trunc 47 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "xds-operator.serviceAccountName" -}}
{{- default (ternary (include "xds-operator.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name }}
{{- end }}

{{- /* What selects pods. dict "root" $ "component" operator or ingress. */ -}}
{{- define "xds-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "xds-operator.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ default "operator" .component }}
{{- end }}

{{- /* dict "root" $ "component" operator, unless said otherwise, "labels" more of them. */ -}}
{{- define "xds-operator.labels" -}}
{{- $own := include "xds-operator.selectorLabels" . | fromYaml }}
{{- $own = merge $own (dict
  "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/version" .root.Chart.AppVersion
  "app.kubernetes.io/managed-by" .root.Release.Service
  "app.kubernetes.io/part-of" "xds-operator") }}
{{- toYaml (merge $own (deepCopy (default dict .labels)) .root.Values.commonLabels) }}
{{- end }}

{{- /* The metadata of an object.
       dict "root" $ "name" another than the release's "suffix" of the name "component" … "namespace" another than the release's "clusterScoped" true "labels" "annotations" more. */ -}}
{{- define "xds-operator.metadata" -}}
name: {{ default (include "xds-operator.fullname" .root) .name }}{{ with .suffix }}-{{ . }}{{ end }}
{{- if not .clusterScoped }}
namespace: {{ default .root.Release.Namespace .namespace }}
{{- end }}
labels:
  {{- include "xds-operator.labels" . | nindent 2 }}
{{- with merge (deepCopy (default dict .annotations)) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "xds-operator.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The secret with the operator's certificate. */ -}}
{{- define "xds-operator.tlsSecret" -}}
{{- default (printf "%s-tls" (include "xds-operator.fullname" .)) .Values.tls.existingSecret }}
{{- end }}

{{- /* The secret with the certificate of the ingress Envoys. */ -}}
{{- define "xds-operator.envoyTLSSecret" -}}
{{- default (printf "%s-envoy-tls" (include "xds-operator.fullname" .)) .Values.envoy.ingress.tlsSecret }}
{{- end }}

{{- /* Where Envoys find the operator. */ -}}
{{- define "xds-operator.xdsAddress" -}}
{{- default (printf "%s.%s.svc:%d" (include "xds-operator.fullname" .) .Release.Namespace (int .Values.service.port)) .Values.envoy.bootstrap.xdsAddress }}
{{- end }}

{{- /* Refuses values that contradict each other. */ -}}
{{- define "xds-operator.check" -}}
{{- with .Values }}
{{- if and (not .leaderElection.enabled) (or (gt (int .replicaCount) 1) .autoscaling.enabled) }}
{{- fail "leaderElection.enabled is false: then replicaCount must be 1 and autoscaling off, or replicas would write the same objects" }}
{{- end }}
{{- if and .tls.enabled (not .tls.existingSecret) (not .tls.certManager.enabled) }}
{{- fail "tls.enabled needs a certificate: set tls.existingSecret or tls.certManager.enabled" }}
{{- end }}
{{- if and .tls.existingSecret .tls.certManager.enabled }}
{{- fail "set either tls.existingSecret or tls.certManager.enabled, not both" }}
{{- end }}
{{- if and .tls.certManager.enabled (not .tls.enabled) }}
{{- fail "tls.certManager.enabled issues certificates that nobody uses: set tls.enabled, too" }}
{{- end }}
{{- if and .tls.enabled .tls.clientCertificates .envoy.ingress.enabled (not .tls.certManager.enabled) (not .envoy.ingress.tlsSecret) }}
{{- fail "the ingress Envoys need certificates: set envoy.ingress.tlsSecret" }}
{{- end }}
{{- if and .envoy.ingress.enabled (not .envoy.bootstrap.enabled) }}
{{- fail "the ingress Envoys need their bootstrap: set envoy.bootstrap.enabled" }}
{{- end }}
{{- if and .autoscaling.enabled (gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas)) }}
{{- fail "autoscaling.minReplicas is more than autoscaling.maxReplicas" }}
{{- end }}
{{- if and (or .metrics.serviceMonitor.enabled .metrics.prometheusRule.enabled) (not .metrics.enabled) }}
{{- fail "metrics.enabled is false: then there is nothing to scrape or to alert on" }}
{{- end }}
{{- end }}
{{- end }}
