"""How an ingest works inside; the door is `model_code.data.ingest`."""
