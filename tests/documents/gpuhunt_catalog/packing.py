"""Packs a typed table as gpuhunt publishes one: a zip with one CSV file, named after the cloud."""

import io
import zipfile

HEADER = (
    "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size,gpu_vendor,flags,"
    "cpu_arch,provider_data"
)


def packed(cloud: str, *rows: str, header: str = HEADER) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        member = zipfile.ZipInfo(f"{cloud}.csv", date_time=(2026, 11, 1, 0, 0, 0))
        archive.writestr(member, "\r\n".join([header, *rows, ""]))
    return body.getvalue()
