"""RunPod as gpuhunt lists it; columns as its program writes them, figures made up in the usual range."""

from tests.documents.gpuhunt_catalog.packing import packed


def workbook() -> bytes:
    return packed(
        "runpod",
        "NVIDIA L4,US-KS-2,0.69,12,50.0,1,L4,24.0,False,,nvidia,,x86,{}",
        "NVIDIA L4,US-KS-2,2.0699999999999998,36,150.0,3,L4,24.0,False,,nvidia,,x86,{}",
        "NVIDIA L4,US,0.43,8,31.0,1,L4,24.0,False,,nvidia,,x86,{}",
        'NVIDIA H100 80GB HBM3,US-KS-2,23.92,128,1600.0,8,H100,80.0,False,,nvidia,runpod-cluster,x86,"{""pods"": 2}"',
        "cpu3c-2-4,US-KS-2,0.06,2,4.0,0,,,False,20.0,,,x86,{}",
    )
