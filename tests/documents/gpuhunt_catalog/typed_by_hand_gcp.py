"""Google Cloud as gpuhunt lists it; columns as its program writes them, figures made up in the usual range."""

from tests.documents.gpuhunt_catalog.packing import packed


def workbook() -> bytes:
    return packed(
        "gcp",
        "n2-standard-2,us-central1-a,0.097118,2,8.0,0,,,False,,,,x86,{}",
        'a2-highgpu-1g,us-central1-a,3.673388,12,85.0,1,A100,40.0,False,,nvidia,,x86,"{""is_dws"": false}"',
        'a2-highgpu-1g,us-central1-f,3.673388,12,85.0,1,A100,40.0,False,,nvidia,,x86,"{""is_dws"": false}"',
        "a2-highgpu-1g,us-central1-a,1.8,12,85.0,1,A100,40.0,True,,nvidia,,x86,{}",
        "n1-standard-8,us-central1-a,0.729998,8,30.0,1,T4,16.0,False,,nvidia,,x86,{}",
        "n1-standard-8,us-central1-a,1.079998,8,30.0,2,T4,16.0,False,,nvidia,,x86,{}",
        'a4-highgpu-8g,us-central1-b,64.0,224,3968.0,8,B200,180.0,False,,nvidia,gcp-dws-calendar-mode gcp-a4,x86,"{}"',
        "a3-edgegpu-8g,us-central1-a,80.0,208,1872.0,8,H100,80.0,False,,nvidia,,x86,{}",
        "v6e-8,us-east5-b,21.6,180,1440.0,1,v6e-8,256.0,False,,google,,x86,{}",
    )
