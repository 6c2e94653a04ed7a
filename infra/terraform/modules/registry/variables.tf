variable "project" {
  type        = string
  description = "Google Cloud project."
}

variable "region" {
  type        = string
  description = "Where images lie."
}

variable "name" {
  type        = string
  description = "Name of the repository."
}

variable "readers" {
  type        = map(string)
  description = "Emails of accounts that pull, by a name of your own."
}

variable "builder" {
  type        = string
  description = "Email of the account that pushes."
}
