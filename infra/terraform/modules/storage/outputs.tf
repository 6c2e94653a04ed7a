output "buckets" {
  value = merge(
    { for key, bucket in google_storage_bucket.this : key => bucket.url },
    { checkpoints = google_storage_bucket.checkpoints.url },
  )
  description = "URLs by purpose, for infra/environments and mlflow.env."
}
