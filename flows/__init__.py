"""The stories: each module here is a Prefect flow that passes values between stages."""
