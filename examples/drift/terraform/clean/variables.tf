variable "stage" {
  type        = string
  default     = "staging"
  description = "Deployed once a stage"

  validation {
    condition     = contains(["staging", "production"], var.stage)
    error_message = "The stage is staging or production."
  }
}

variable "domain_name" {
  type    = string
  default = "example.com"
}

variable "certificate_arn" {
  type        = string
  description = "In us-east-1, where Cognito looks for it"
}

variable "decision_ttl" {
  type        = number
  default     = 300
  description = "Seconds for which API Gateway keeps a decision"
}
