variable "project" {
  type        = string
  description = "Google Cloud project; its name starts every bucket's."
}

variable "region" {
  type        = string
  description = "Where the data lies: beside the nodes that read it."
}

variable "name" {
  type        = string
  description = "Environment's part of the names."
}

variable "trainer" {
  type        = string
  description = "Email of the account of task pods."
}

variable "mlflow" {
  type        = string
  description = "Email of the account of MLflow."
}
